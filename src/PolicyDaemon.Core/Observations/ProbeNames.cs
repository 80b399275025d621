namespace PolicyDaemon.Core.Observations;

/// <summary>Stored and shown names of a probe's smaller enumerations.</summary>
public static class ProbeNames
{
    private static readonly string[] Stages = ["connect", "greeting", "ehlo", "starttls", "handshake", "secure-ehlo", "quit"];
    private static readonly string[] Algorithms = ["rsa", "ecdsa", "eddsa", "other"];
    private static readonly string[] Chains = ["trusted", "expired", "not-trusted"];
    private static readonly string[] Dnssec = ["unknown", "insecure", "secure", "bogus"];
    private static readonly string[] Danes = ["none", "match", "mismatch", "unusable", "unknown", "unjudged"];

    public static string Name(this ProbeStage stage) => Stages[(int)stage];

    public static string Name(this KeyAlgorithm algorithm) => Algorithms[(int)algorithm];

    public static string Name(this ChainVerdict verdict) => Chains[(int)verdict];

    public static string Name(this DnssecStatus status) => Dnssec[(int)status];

    public static string Name(this DaneVerdict verdict) => Danes[(int)verdict];

    public static bool TryParse(string? name, out ProbeStage stage)
    {
        var index = Array.IndexOf(Stages, name);
        stage = (ProbeStage)Math.Max(index, 0);
        return index >= 0;
    }

    public static bool TryParse(string? name, out KeyAlgorithm algorithm)
    {
        var index = Array.IndexOf(Algorithms, name);
        algorithm = (KeyAlgorithm)Math.Max(index, 0);
        return index >= 0;
    }

    public static bool TryParse(string? name, out ChainVerdict verdict)
    {
        var index = Array.IndexOf(Chains, name);
        verdict = (ChainVerdict)Math.Max(index, 0);
        return index >= 0;
    }

    public static bool TryParse(string? name, out DnssecStatus status)
    {
        var index = Array.IndexOf(Dnssec, name);
        status = (DnssecStatus)Math.Max(index, 0);
        return index >= 0;
    }

    public static bool TryParse(string? name, out DaneVerdict verdict)
    {
        var index = Array.IndexOf(Danes, name);
        verdict = (DaneVerdict)Math.Max(index, 0);
        return index >= 0;
    }
}
