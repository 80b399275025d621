namespace PolicyDaemon.Probe.Dns;

/// <summary>Names as DnsClient hands them over, brought into our form.</summary>
internal static class DnsNames
{
    /// <summary>Lower case, without the final dot; empty for the root.</summary>
    public static string Plain(string name) => name.TrimEnd('.').ToLowerInvariant();

    /// <summary>True for a name that a host can have: it may be shown, stored and connected to.</summary>
    /// <remarks>A zone can hold any octets in a name; blanks and braces have no business in a log line or an answer.</remarks>
    public static bool IsHost(string name)
    {
        if (name.Length is 0 or > 253)
            return false;
        foreach (var label in name.Split('.'))
        {
            if (label.Length is 0 or > 63 || label.Any(character => !(char.IsAsciiLetterOrDigit(character) || character is '-' or '_')))
                return false;
        }

        return true;
    }
}
