using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>One key of a snapshot with its finished answers.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Answer">The answer on the map <c>tlspolicy</c>.</param>
/// <param name="TlsRptAnswer">The answer on <c>tlspolicy-tlsrpt</c>; the same value where nothing differs.</param>
/// <param name="IsPinned">The entry is enforced with pins: a lookup of its key makes an old probe due.</param>
/// <param name="ValidUntil">When the entry lapses by itself, in whole seconds; null: never.</param>
public readonly record struct SnapshotEntry(
    string Key, LookupAnswer Answer, LookupAnswer TlsRptAnswer, bool IsPinned = false, DateTimeOffset? ValidUntil = null);
