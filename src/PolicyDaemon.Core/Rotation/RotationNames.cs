namespace PolicyDaemon.Core.Rotation;

/// <summary>Stored and shown names of verdicts and rules.</summary>
public static class RotationNames
{
    private static readonly string[] Verdicts = ["unknown", "ok", "degraded", "mismatch", "unreachable"];

    private static readonly string[] Rules =
    [
        "first-seen", "announced", "key-beside-certificate", "converted", "dane", "webpki", "first-use", "replaced", "grace-over",
        "standby-expired", "candidate-gone",
    ];

    public static string Name(this DestinationVerdict verdict) => Verdicts[(int)verdict];

    public static string Name(this RotationRule rule) => Rules[(int)rule];

    public static bool TryParse(string? name, out DestinationVerdict verdict)
    {
        var index = Array.IndexOf(Verdicts, name);
        verdict = (DestinationVerdict)Math.Max(index, 0);
        return index >= 0;
    }
}
