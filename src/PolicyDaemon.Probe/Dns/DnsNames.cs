namespace PolicyDaemon.Probe.Dns;

/// <summary>Names as DnsClient hands them over, brought into our form.</summary>
internal static class DnsNames
{
    /// <summary>Lower case, without the final dot; empty for the root.</summary>
    public static string Plain(string name) => name.TrimEnd('.').ToLowerInvariant();
}
