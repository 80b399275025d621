namespace PolicyDaemon.Core.Serving;

/// <summary>Where the lookup path finds what it may answer from.</summary>
public interface IPolicySource
{
    /// <summary>The snapshot in force; null until one is loaded, and then every lookup is a temporary error.</summary>
    PolicySnapshot? Current { get; }
}
