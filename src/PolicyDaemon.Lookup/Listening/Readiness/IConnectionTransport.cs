using System.IO.Pipelines;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>Moves a connection's octets between its socket and two pipes.</summary>
/// <remarks>A flush of the output completes only when the octets are with the kernel; disposing it ends whatever is under way. A peer that
/// never stops sending must not keep the thread that reads for everybody.</remarks>
internal interface IConnectionTransport : IDuplexPipe, IDisposable
{
    /// <summary>Gives the other connections a turn.</summary>
    ValueTask YieldAsync();
}
