using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>What is left of a snapshot that was written for another digest or Postfix while the store cannot be read.</summary>
internal static class OtherDigest
{
    /// <summary>
    /// Pins of another digest never match; this is said plainly, as a temporary error. Answers without pins stay: whatever of them
    /// an older Postfix cannot read defers mail by itself.
    /// </summary>
    internal static PolicySnapshot Refuse(PolicySnapshot snapshot, PostfixSettings postfix)
    {
        if (snapshot.Identity.Digest == postfix.FingerprintDigest)
            return snapshot;
        var refusal = LookupAnswer.Temporary("the store cannot be read and the last good pins are of another digest");
        return snapshot.With(
            snapshot.Identity,
            snapshot.Entries.Where(entry => entry.IsPinned).Select(entry => new SnapshotEntry(entry.Key, refusal, refusal)).ToList(),
            []);
    }
}
