using System.Diagnostics;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store.Probing;

/// <summary>The ledger's reading connection with its prepared statements. For one thread at a time.</summary>
internal sealed class LedgerReader : IDisposable
{
    // Counting the MX hosts of all pinned destinations takes its time in a large store; it may cost this part of ours.
    private const int CountingShare = 20;

    private readonly SqliteConnection connection;
    private static readonly string ServedStates = string.Join(", ", PinNames.ServedStates.Select(state => $"'{state.Name()}'"));

    private readonly Statement begin;
    private readonly Statement end;
    private readonly Statement sharing;
    private readonly Statement pinned;
    private readonly Statement newKeys;
    private readonly TargetTable targets;
    private readonly StateTable states;
    private readonly DestinationTable destinations;
    private (int Count, long At, long Took)? hosts;

    internal LedgerReader(string path, TimeSpan? patience, HistoryCache cache)
    {
        Signature = FileSignature.Of(path);
        connection = StoreConnection.Open(path, StoreAccess.Write, patience);
        try
        {
            StoreVersion.Check(connection, path, StoreAccess.Write);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        begin = new Statement(connection, "BEGIN DEFERRED", 0);
        end = new Statement(connection, "ROLLBACK", 0);
        sharing = new Statement(
            connection,
            """
            SELECT DISTINCT d.key FROM probe_target t
            JOIN probe_listing l ON l.probe_target_id = t.id
            JOIN destination d ON d.id = l.destination_id
            WHERE t.name = $0
            """,
            1);
        pinned = new Statement(
            connection,
            $"""
            SELECT count(DISTINCT l.mx_host) FROM probe_listing l
            WHERE l.last_listed IS NULL AND EXISTS
                (SELECT 1 FROM pin p WHERE p.destination_id = l.destination_id AND p.state IN ({ServedStates}))
            """,
            0);
        newKeys = new Statement(connection, "SELECT count(DISTINCT mx_host) FROM new_key WHERE since >= $0", 1);
        targets = new TargetTable(connection, cache);
        states = new StateTable(connection);
        destinations = new DestinationTable(connection);
        Due = new DueTable(connection);
    }

    internal FileSignature? Signature { get; }

    internal SqliteConnection Connection => connection;

    /// <summary>What is to be looked at, and when.</summary>
    internal DueTable Due { get; }

    internal AddressHistory ReadHistory(ProbeTarget target)
    {
        // The version and the rows behind it are of one moment only within a transaction.
        begin.Execute();
        try
        {
            return targets.Read(target, mayKeep: true).History;
        }
        finally
        {
            end.Execute();
        }
    }

    internal List<NextHop> Sharing(ProbeTarget target) =>
        [.. sharing.Query(row => row.GetString(0), target.Id).Where(key => NextHop.TryParse(key, out _, out _)).Select(NextHop.Parse)];

    internal BrakeCounts ReadBrake(DateTimeOffset since) => new(PinnedHosts(), (int)(long)newKeys.Scalar(since.Seconds())!);

    internal DestinationState? Read(NextHop key)
    {
        begin.Execute();
        try
        {
            return ReadMoment(key);
        }
        finally
        {
            end.Execute();
        }
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[begin, end, sharing, pinned, newKeys, targets, states, destinations, Due])
            part.Dispose();
        connection.Dispose();
    }

    private DestinationState? ReadMoment(NextHop key)
    {
        // An entry that cannot be read is answered as a temporary error, and has no policy that a probe could judge.
        if (destinations.Find(key.Text) is not { Id: var id, Value: { } destination })
            return null;
        var watched = new DestinationState
        {
            Key = key,
            Policy = destination.Policy,
            Mode = destination.Mode,
            Pins = destination.Pins,
            ProbeAs = destination.ProbeAs,
        };
        if (states.Read(id) is not { } state)
            return watched;
        var listedAt = state.ListedAt ?? 0;
        return watched with
        {
            LastProbe = state.LastProbe.Time(),
            NextDue = state.NextDue.Time(),
            LastResolution = state.Resolution is null ? null : ResolutionMapping.FromJson(state.Resolution, (state.ResolvedAt ?? 0).Time()),
            TrustedHosts = state.TrustedHosts is null
                ? null
                : [.. JsonSerializer.Deserialize(state.TrustedHosts, StoreJson.Default.StringArray) ?? []],
            SecureSince = state.SecureSince?.Time(),
            WasSecure = state.WasSecure,
            Targets =
            [
                .. states.Listings(id).Select(listing => new MxTarget(
                    listing.MxHost, ProbeTarget.Parse(listing.Target), (listing.LastListed ?? listedAt).Time())),
            ],
        };
    }

    private int PinnedHosts()
    {
        if (hosts is { } known && Stopwatch.GetTimestamp() - known.At < known.Took * CountingShare)
            return known.Count;
        var started = Stopwatch.GetTimestamp();
        var count = (int)(long)pinned.Scalar()!;
        var took = Stopwatch.GetTimestamp() - started;
        // What is counted in a moment is always counted.
        hosts = (count, started, Stopwatch.GetElapsedTime(started, started + took) < TimeSpan.FromMilliseconds(1) ? 0 : took);
        return count;
    }
}
