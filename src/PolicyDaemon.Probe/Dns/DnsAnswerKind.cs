namespace PolicyDaemon.Probe.Dns;

/// <summary>What an answer amounts to.</summary>
internal enum DnsAnswerKind
{
    /// <summary>Records of the type asked for.</summary>
    Records,

    /// <summary>The name exists and has none of the type.</summary>
    NoData,

    NoSuchName,

    /// <summary>SERVFAIL that succeeds with checking disabled: the data are there and do not validate.</summary>
    Bogus,

    /// <summary>Timeout, SERVFAIL, REFUSED, nonsense: nothing is known.</summary>
    Failed,
}
