using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Store.Probing;

/// <summary>What a target's rows say.</summary>
/// <param name="Id">The target's row; 0 where there is none.</param>
/// <param name="Version">Counts what was written to it.</param>
internal sealed record StoredHistory(long Id, long Version, AddressHistory History);
