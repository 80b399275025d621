namespace PolicyDaemon.Core.Rotation;

/// <summary>The rules of the pin life cycle, as the audit log names them.</summary>
public enum RotationRule
{
    /// <summary>A key was seen that no pin knows: candidate.</summary>
    FirstSeen,

    /// <summary>A secure TLSA record beside a matching one names a key that no pin knows: candidate, later standby.</summary>
    Announced,

    /// <summary>A whole certificate is pinned: its public key is proposed beside it.</summary>
    KeyBesideCertificate,

    /// <summary>A pin known in another digest was seen: the same key or certificate, in the digest that is served.</summary>
    Converted,

    /// <summary>Evidence A: active or standby.</summary>
    Dane,

    /// <summary>Evidence B: active.</summary>
    WebPki,

    /// <summary>A standby pin was presented for the first time: active.</summary>
    FirstUse,

    /// <summary>Another served key is presented everywhere: retiring.</summary>
    Replaced,

    /// <summary>No address presented the pin for the grace period: retired.</summary>
    GraceOver,

    /// <summary>An announced key was never presented: retired.</summary>
    StandbyExpired,

    /// <summary>A key that was never trusted is not presented any more: retired.</summary>
    CandidateGone,

    /// <summary>A key that was never trusted and is not presented any more makes way for a new one, or is too old to be kept: forgotten.</summary>
    MadeWay,
}

/// <summary>The names of the rules in the audit log.</summary>
public static class RotationRules
{
    private static readonly StoredNames<RotationRule> Stored = new(
        (RotationRule.FirstSeen, "first-seen"), (RotationRule.Announced, "announced"),
        (RotationRule.KeyBesideCertificate, "key-beside-certificate"), (RotationRule.Converted, "converted"), (RotationRule.Dane, "dane"),
        (RotationRule.WebPki, "webpki"), (RotationRule.FirstUse, "first-use"), (RotationRule.Replaced, "replaced"),
        (RotationRule.GraceOver, "grace-over"), (RotationRule.StandbyExpired, "standby-expired"), (RotationRule.CandidateGone, "candidate-gone"),
        (RotationRule.MadeWay, "made-way"));

    public static string Name(this RotationRule rule) => Stored.Of(rule);
}
