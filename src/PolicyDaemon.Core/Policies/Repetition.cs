namespace PolicyDaemon.Core.Policies;

/// <summary>What Postfix makes of an attribute that a policy names more than once (smtp/smtp_tls_policy.c).</summary>
public enum Repetition
{
    /// <summary>"specified multiple times": the whole policy is invalid and mail is deferred.</summary>
    Refused,

    /// <summary>The values add up.</summary>
    AddsUp,

    /// <summary>The last one counts.</summary>
    LastWins,
}
