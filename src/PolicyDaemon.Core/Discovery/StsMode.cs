namespace PolicyDaemon.Core.Discovery;

/// <summary>What an MTA-STS policy asks of senders (RFC 8461 section 5). Names are in <see cref="StsNames"/>.</summary>
public enum StsMode
{
    None,
    Testing,
    Enforce,
}
