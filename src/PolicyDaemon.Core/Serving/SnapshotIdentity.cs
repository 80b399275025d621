using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Which state of which store a snapshot shows, and for which Postfix its answers were written.</summary>
/// <param name="StoreId">The store's random identity, made by <c>policyctl init</c>.</param>
/// <param name="Sequence">The last audit row that the snapshot includes; 0 for an empty log.</param>
/// <param name="Hash">That row's hash, lower-case hexadecimal; empty for an empty log.</param>
/// <param name="Digest">The digest the pins are served in.</param>
/// <param name="Version">The oldest Postfix served.</param>
public sealed record SnapshotIdentity(string StoreId, long Sequence, string Hash, DigestAlgorithm Digest, PostfixVersion Version);
