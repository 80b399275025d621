using System.Runtime.CompilerServices;

namespace PolicyDaemon.Probe;

/// <summary>The way from a socket's thread to the pool.</summary>
/// <remarks>In policyd a socket's completion runs on the runtime's socket thread, which answers lookups too. What the prober does
/// behind one (a TLS handshake, a chain of certificates, a write to the store) takes a thousand times as long as a lookup.</remarks>
internal static class Pool
{
    public static ConfiguredTaskAwaitable Hop() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
}
