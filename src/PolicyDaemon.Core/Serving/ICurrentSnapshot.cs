namespace PolicyDaemon.Core.Serving;

/// <summary>The snapshot that lookups are answered from; replaced whole when the store changes.</summary>
public interface ICurrentSnapshot
{
    /// <summary>The snapshot in force; null until one is loaded, and then every lookup is a temporary error.</summary>
    PolicySnapshot? Current { get; }
}
