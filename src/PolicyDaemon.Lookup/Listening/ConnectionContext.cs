using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>What all connections of a server share.</summary>
/// <param name="Deadlines">Told when something begins that must end in time.</param>
/// <param name="Memory">Told of what must be kept because a peer keeps us waiting.</param>
/// <param name="Faults">Bounds the log lines that peers can cause.</param>
internal sealed record ConnectionContext(ILogger Logger, TimeProvider Time, DeadlineSweep Deadlines, PeerMemory Memory, LogGate Faults);
