using System.Globalization;

namespace PolicyDaemon.Pages.Layout;

/// <summary>A file that pages refer to. Its path carries what it is, so that a page never meets the file of another version.</summary>
public sealed class PageAsset
{
    private PageAsset(string name, string type)
    {
        Type = type;
        Text = Read(name);
        var digest = Digest(Text).ToString("x16", CultureInfo.InvariantCulture);
        Tag = $"\"{digest}\"";
        Path = $"/{name}?{digest}";
        Name = "/" + name;
    }

    /// <summary>The one stylesheet; a report puts its text into its head.</summary>
    public static PageAsset Stylesheet { get; } = new("style.css", "text/css; charset=utf-8");

    /// <summary>What a report has beside the stylesheet.</summary>
    public static PageAsset ReportStylesheet { get; } = new("report.css", "text/css; charset=utf-8");

    /// <summary>The optional script, which brings the marked parts of a page up to date.</summary>
    public static PageAsset Script { get; } = new("refresh.js", "text/javascript; charset=utf-8");

    /// <summary>The picture beside the title in a browser.</summary>
    public static PageAsset Icon { get; } = new("icon.svg", "image/svg+xml");

    /// <summary>The path without the query.</summary>
    public string Name { get; }

    /// <summary>The path that pages name.</summary>
    public string Path { get; }

    /// <summary>The content type.</summary>
    public string Type { get; }

    /// <summary>The entity tag (RFC 9110 section 8.8.3).</summary>
    public string Tag { get; }

    /// <summary>The content.</summary>
    public string Text { get; }

    // FNV-1a. It tells versions apart and protects nothing; SHA-256 would load OpenSSL, 4 MiB of memory, into a program that needs it for nothing else.
    private static ulong Digest(string text)
    {
        var digest = 14695981039346656037;
        foreach (var character in text)
            digest = unchecked((digest ^ character) * 1099511628211);
        return digest;
    }

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(PageAsset).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
