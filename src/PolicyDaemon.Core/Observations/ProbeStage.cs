namespace PolicyDaemon.Core.Observations;

/// <summary>How far the dialogue with a server went, in its order. The names in <see cref="ProbeNames"/> are stored.</summary>
public enum ProbeStage
{
    /// <summary>The TCP connection.</summary>
    Connect,

    /// <summary>The server's 220.</summary>
    Greeting,

    /// <summary>EHLO in the clear.</summary>
    Ehlo,

    /// <summary>The STARTTLS command and its 220.</summary>
    StartTls,

    /// <summary>The TLS handshake.</summary>
    Handshake,

    /// <summary>EHLO over TLS.</summary>
    SecureEhlo,

    /// <summary>QUIT.</summary>
    Quit,
}
