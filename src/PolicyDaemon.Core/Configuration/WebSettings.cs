using System.Collections.Immutable;
using System.Net;

namespace PolicyDaemon.Core.Configuration;

/// <summary>The <c>[web]</c> section, read and checked. See policydaemon.conf(5) and policyd-web(8).</summary>
public sealed record WebSettings
{
    /// <summary>The unix socket on which the pages are served; null where that is <see cref="Address"/>.</summary>
    public required string? Socket { get; init; }

    /// <summary>The loopback address and port on which the pages are served; null where that is <see cref="Socket"/>.</summary>
    public required IPEndPoint? Address { get; init; }

    /// <summary>Names that requests may ask for (Host) beside localhost and the loopback addresses: those of a proxy in front.</summary>
    public required ImmutableArray<string> Hosts { get; init; }

    /// <summary>After how long without a request a program whose socket systemd holds ends; zero: never.</summary>
    public required TimeSpan Idle { get; init; }
}

/// <summary>The keys of <c>[web]</c>.</summary>
public static class WebKeys
{
    public static readonly ConfigurationKey Listen = new(
        "web", "listen", "unix:/run/policydaemon/web.sock", "where policyd-web serves its pages: unix:PATH, or inet:HOST:PORT on loopback");

    public static readonly ConfigurationKey Hosts = new(
        "web", "hosts", "", "names that browsers may ask for beside localhost and the loopback addresses, separated by commas");

    public static readonly ConfigurationKey Idle = new(
        "web", "idle", "10m", "after how long without a request policyd-web ends, to be started by its socket again: 0s (never) to 1d");

    public static IReadOnlyList<ConfigurationKey> All { get; } = [Listen, Hosts, Idle];
}

/// <summary>Reads the <c>[web]</c> section.</summary>
internal sealed class WebSettingsReader(SettingValues values)
{
    private const string Unix = "unix:";
    private const string Inet = "inet:";

    public WebSettings Read()
    {
        var listen = values.Value(WebKeys.Listen);
        var socket = listen.Text.StartsWith(Unix, StringComparison.Ordinal) ? SocketOf(listen) : null;
        return new WebSettings
        {
            Socket = socket,
            Address = socket is null ? AddressOf(listen) : null,
            Hosts = [.. values.List(WebKeys.Hosts).Select(HostOf).OfType<string>()],
            Idle = values.Duration(WebKeys.Idle, "0s", "1d"),
        };
    }

    private string SocketOf(ConfiguredValue value)
    {
        var path = values.Absolute(value with { Text = value.Text[Unix.Length..] });
        if (path.EndsWith('/') || path.Any(char.IsControl))
            values.Problems.Add(value.Problem($"'{path}' names no file; write a path such as unix:/run/policydaemon/web.sock"));
        return path;
    }

    // The pages ask for no password: whoever reaches the port reads them.
    private IPEndPoint? AddressOf(ConfiguredValue value)
    {
        var text = value.Text.StartsWith(Inet, StringComparison.Ordinal) ? value.Text[Inet.Length..] : "";
        text = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        if (!HasPort(text) || !IPEndPoint.TryParse(text, out var address))
            values.Problems.Add(value.Problem($"'{value.Text}' is neither unix:PATH nor inet:HOST:PORT with an address, such as inet:127.0.0.1:8464"));
        else if (!IPAddress.IsLoopback(address.Address))
            values.Problems.Add(value.Problem($"'{value.Text}' is not on loopback; put a web server in front that asks who it is, see policyd-web(8)"));
        else
            return address;
        return null;
    }

    private static bool HasPort(string text) => text.LastIndexOf(':') is var colon and > 0 && (text[0] != '[' || text[colon - 1] == ']') && (text[0] == '[' || text.IndexOf(':', StringComparison.Ordinal) == colon);

    private string? HostOf(ConfiguredValue value)
    {
        if (value.Text.Length <= 253 && value.Text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-'))
            return value.Text.ToLowerInvariant();
        values.Problems.Add(value.Problem($"'{value.Text}' is no host name; write it as browsers send it, without a port, such as mail-status.example.com"));
        return null;
    }
}
