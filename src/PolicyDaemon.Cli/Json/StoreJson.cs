namespace PolicyDaemon.Cli.Json;

/// <summary>The result of <c>init</c>.</summary>
/// <param name="Store">The database file.</param>
/// <param name="Created">False where it was there already.</param>
/// <param name="StoreId">The store's random identity.</param>
/// <param name="Upgraded">True where an older version had written it and it was brought up to date.</param>
internal sealed record InitJson(string Store, bool Created, string StoreId, bool Upgraded);

/// <summary>The result of <c>backup</c>.</summary>
/// <param name="File">The copy.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sequence">The last row of its audit log.</param>
/// <param name="Head">That row's hash.</param>
internal sealed record BackupJson(string File, long Bytes, long Sequence, string Head);

/// <summary>The result of <c>version</c>.</summary>
/// <param name="Version">The release.</param>
/// <param name="Commit">What it was built from; null where the sources had no history.</param>
internal sealed record VersionJson(string Version, string? Commit);
