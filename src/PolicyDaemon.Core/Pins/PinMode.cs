namespace PolicyDaemon.Core.Pins;

/// <summary>How much of a destination's pin life cycle goes by itself.</summary>
public enum PinMode
{
    /// <summary>A person decides everything.</summary>
    Locked,

    /// <summary>DANE evidence promotes, the rest is proposed.</summary>
    Assist,

    /// <summary>DANE and WebPKI evidence promote.</summary>
    Auto,
}
