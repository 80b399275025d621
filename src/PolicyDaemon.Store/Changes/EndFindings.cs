using System.Data.Common;
using System.Globalization;
using Dapper;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Findings;

namespace PolicyDaemon.Store.Changes;

/// <summary>What people are told of ends that have come: a hundred by their names, those beyond together, so that one command over many entries
/// becomes no thousand findings a month later.</summary>
internal sealed class EndFindings(DbConnection connection, DateTimeOffset time)
{
    /// <summary>The subject of those beyond the limit.</summary>
    internal const string Others = "(more)";

    internal const int Named = 100;

    private readonly string kind = FindingKind.EntryEnded.Name();

    internal void Raise(Finding finding)
    {
        var others = (int)connection.ExecuteScalar<long>(
            "SELECT coalesce(max(affects), 0) FROM finding WHERE kind = @kind AND subject = @Others AND closed IS NULL", new { kind, Others });
        if (others == 0 && connection.ExecuteScalar<long>("SELECT count(*) FROM finding WHERE kind = @kind AND closed IS NULL", new { kind }) < Named)
        {
            FindingTable.Raise(connection, finding, time);
            return;
        }

        others++;
        var text = others.ToString(CultureInfo.InvariantCulture);
        FindingTable.Raise(
            connection,
            finding with
            {
                Subject = Others,
                Detail = $"{text} more entries, or what was temporary in them, ended, as was said when they were set; {Named} are named in findings of their own",
                Remedy = "policyctl audit",
                Affects = others,
            },
            time);
    }
}
