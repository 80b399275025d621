using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Store.Probing;

/// <summary>Brings open findings into line with what holds now.</summary>
internal sealed class FindingWriter(SqliteConnection connection) : IDisposable
{
    /// <summary>The subject of findings about the prober itself.</summary>
    internal const string Prober = "prober";

    private readonly Statement open = new(connection, "SELECT kind FROM finding WHERE subject = $0 AND closed IS NULL", 1);

    internal void Write(ProbeResult round)
    {
        var now = round.Result.Findings;
        Settle(round.Key.Text, round.At, kind => kind.IsOf(FindingSource.Probe) && !now.Any(finding => finding.Kind == kind));
        foreach (var finding in now)
            FindingTable.Raise(connection, finding, round.At);
    }

    internal void Write(IReadOnlyList<Finding> findings, DateTimeOffset at)
    {
        Settle(Prober, at, kind => kind.IsOf(FindingSource.Prober) && !findings.Any(finding => finding.Kind == kind && finding.Subject == Prober));
        foreach (var finding in findings)
            FindingTable.Raise(connection, finding, at);
    }

    public void Dispose() => open.Dispose();

    private void Settle(string subject, DateTimeOffset at, Func<FindingKind, bool> isOver)
    {
        foreach (var name in open.Query(row => row.GetString(0), subject))
        {
            if (FindingKinds.TryParse(name, out var kind) && isOver(kind))
                FindingTable.Close(connection, kind, subject, at);
        }
    }
}
