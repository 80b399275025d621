using PolicyDaemon.Cli.Setup.Checks;

namespace PolicyDaemon.Cli.Json;

/// <summary>What a writing command did, or with <c>--dry-run</c> would do.</summary>
/// <param name="Change">The change's number, which <c>undo</c> takes; null where nothing was written.</param>
/// <param name="Head">The hash of the audit log's last row after the change; null where nothing was written.</param>
/// <param name="DryRun">True where nothing was written because of <c>--dry-run</c>.</param>
/// <param name="Keys">The keys concerned.</param>
/// <param name="Warnings">What deserves a thought; also on standard error.</param>
internal sealed record ChangeJson(
    long? Change, string? Head, bool DryRun, IEnumerable<ChangedKeyJson> Keys, IReadOnlyList<string> Warnings);

/// <summary>One key of a change.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Action"><c>add</c>, <c>change</c>, <c>remove</c> or <c>none</c>.</param>
/// <param name="Before">What Postfix was told; null where the key was not configured.</param>
/// <param name="After">What Postfix is told; null where the key is not configured any more.</param>
/// <param name="Weakens">Why it took a reason; empty where it did not.</param>
/// <param name="Until">When it ends by itself; null where it does not.</param>
/// <param name="Then">What Postfix is told from then on; null where the entry goes, or does not end.</param>
internal sealed record ChangedKeyJson(
    string Key, string Action, AnswerJson? Before, AnswerJson? After, IReadOnlyList<string> Weakens, DateTimeOffset? Until, AnswerJson? Then);

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

/// <summary>The result of <c>store migrate</c>.</summary>
/// <param name="From">The store that went.</param>
/// <param name="To">Where it is now; null where the one that went is used again.</param>
/// <param name="StoreId">Its identity.</param>
/// <param name="Destinations">How many entries it has.</param>
/// <param name="Sequence">The last row of its audit log.</param>
/// <param name="Head">That row's hash.</param>
internal sealed record MigrationJson(string From, string? To, string StoreId, long Destinations, long Sequence, string Head);

/// <summary>The result of <c>store upgrade</c>.</summary>
/// <param name="Store">The store.</param>
/// <param name="From">The version that its tables had.</param>
/// <param name="To">The version that they have.</param>
internal sealed record UpgradeJson(string Store, long From, long To);

/// <summary>The result of <c>version</c>.</summary>
/// <param name="Version">The release.</param>
/// <param name="Commit">What it was built from; null where the sources had no history.</param>
internal sealed record VersionJson(string Version, string? Commit);

/// <summary>One result of <c>setup</c>.</summary>
/// <param name="Severity"><c>ok</c>, <c>note</c>, <c>warning</c> or <c>problem</c>.</param>
/// <param name="Check">The check's name.</param>
/// <param name="Text">What was found and what it means for mail.</param>
/// <param name="Commands">The command lines that settle it, in order.</param>
internal sealed record SetupResultJson(string Severity, string Check, string Text, IReadOnlyList<string> Commands)
{
    internal static SetupResultJson From(SetupResult result) =>
        new(result.Severity.Name(), result.Check, result.Text, result.Commands);
}
