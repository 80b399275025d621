using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Discovery;

/// <summary>The TXT record that announces a policy.</summary>
/// <remarks>
/// <code>
/// _mta-sts.example.com. TXT "v=STSv1; id=20160831085700Z;"
/// </code>
/// One record that begins with <c>v=STSv1;</c>, and none other that does; the id has 1 to 32 letters and digits and changes with
/// the policy. Fields that are not known are ignored (RFC 8461 section 3.1).
/// </remarks>
/// <param name="Id">The policy's instance.</param>
public sealed record StsRecord(string Id)
{
    private const string Version = "v=STSv1";

    /// <summary>True for a TXT record that means to be one; others at the same name are nobody's business.</summary>
    public static bool IsMeant(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Version, StringComparison.Ordinal)
            && text.AsSpan(Version.Length).TrimStart(" \t") is var rest && (rest.IsEmpty || rest[0] == ';');
    }

    /// <summary>Reads a record that <see cref="IsMeant"/>.</summary>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out StsRecord? record, [NotNullWhen(false)] out string? reason)
    {
        record = null;
        reason = "the _mta-sts record has no id";
        if (!IsMeant(text))
            return false;
        foreach (var field in text.Split(';').Skip(1))
        {
            var parts = field.Split('=', 2);
            if (parts.Length != 2 || parts[0].Trim() != "id")
                continue;
            var id = parts[1].Trim();
            if (id.Length is < 1 or > 32 || !id.All(char.IsAsciiLetterOrDigit))
            {
                reason = "the id in the _mta-sts record is not 1 to 32 letters and digits";
                return false;
            }

            record = new StsRecord(id);
            reason = null;
            return true;
        }

        return false;
    }
}
