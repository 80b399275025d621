namespace PolicyDaemon.Core.Discovery;

/// <summary>Shown names of MTA-STS values.</summary>
public static class StsNames
{
    private static readonly string[] Modes = ["none", "testing", "enforce"];

    private static readonly string[] Statuses =
        ["not-applicable", "absent", "valid", "dns-failure", "sts-policy-fetch-error", "sts-webpki-invalid", "sts-policy-invalid"];

    public static string Name(this StsMode mode) => Modes[(int)mode];

    /// <summary>For a failure to retrieve or read the policy, its result type in RFC 8460 section 4.3.2.2.</summary>
    public static string Name(this StsStatus status) => Statuses[(int)status];

    internal static bool TryParse(string name, out StsMode mode)
    {
        var index = Array.IndexOf(Modes, name);
        mode = (StsMode)Math.Max(index, 0);
        return index >= 0;
    }
}
