using System.Globalization;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines.Sqlite;
using Xunit;

namespace PolicyDaemon.Tests.Store;

/// <summary>
/// Every migration starts from a store that the version before it made: <c>Store/Fixtures/NNNN.sql</c> is such a store's dump
/// (<c>sqlite3 policy.db .dump</c>, with its user_version), kept when version NNNN is the newest. 0000 is an empty file.
/// </summary>
public class MigrationTests
{
    public static TheoryData<long> Versions => [.. SqliteSchema.Migrations.Select(migration => migration.Version)];

    [Fact]
    public void Migrations_are_numbered_without_a_gap() =>
        Assert.Equal(Enumerable.Range(1, SqliteSchema.Migrations.Count).Select(number => (long)number), SqliteSchema.Migrations.Select(migration => migration.Version));

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_store_of_the_version_before_is_brought_up_to_date(long version)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Execute(connection, Fixture(version - 1));
        Assert.Equal(version - 1, SqliteSchema.VersionOf(connection).Version);

        Execute(connection, "PRAGMA foreign_keys = OFF");
        SqliteSchema.Apply(connection, version);

        Assert.Equal(version, SqliteSchema.VersionOf(connection).Version);
        Assert.Equal("ok", Scalar(connection, "PRAGMA integrity_check"));
        Assert.Null(Scalar(connection, "PRAGMA foreign_key_check"));
    }

    [Fact]
    public void A_store_of_the_first_version_keeps_all_that_it_held()
    {
        using var temporary = new TemporaryStore(create: false);
        temporary.Sql("PRAGMA journal_mode = WAL;" + Fixture(1));

        using var store = temporary.Open();

        store.CheckIntegrity();
        var audit = store.VerifyAudit();
        Assert.Equal((7, (string?)null), (audit.Rows, audit.Problem));
        Assert.Equal([".example.org", "example.com"], store.List().Select(destination => destination.Key.Text));
        Assert.Equal(["retired", "standby"], store.Find(NextHop.Parse("example.com"))!.Pins.Select(pin => pin.State.Name()));
        var finding = Assert.Single(store.OpenFindings());
        Assert.Equal((FindingKind.NearMiss, 3, 1), (finding.Finding.Kind, finding.Occurrences, finding.Finding.Affects));
        Assert.True(store.PlanUndo(6).IsPossible);
    }

    /// <summary>Everything that version 2 could hold: every attribute, pins in most states, what probes saw and automation did, findings.</summary>
    [Fact]
    public void A_store_of_the_version_before_answers_as_before_and_its_chain_and_evidence_are_read()
    {
        using var temporary = new TemporaryStore(create: false);
        temporary.Sql("PRAGMA journal_mode = WAL;" + Fixture(2));

        using var store = temporary.Open();

        store.CheckIntegrity();
        var audit = store.VerifyAudit();
        Assert.Equal((16, (string?)null), (audit.Rows, audit.Problem));
        const string PinA = "8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f";
        const string PinB = "dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2";
        var postfix = PostfixSettings.Default with { Version = PostfixVersion.Newest };
        string[] answers =
        [
            ".example.org encrypt connection_reuse=no",
            "[mx.example.net]:587 dane-only",
            $"a.example fingerprint match={PinA}|{PinB}",
            "b.example (not found)",
            "full.example secure match=nexthop:.partner.example ciphers=high protocols=>=TLSv1.2 exclude=aNULL:MD5 servername=hostname tafile=/etc/ssl/one.pem tafile=/etc/ssl/two.pem connection_reuse=yes enable_rpk=no",
            "none.example may ciphers=medium",
            "tlsrpt.example may",
            $"x.example fingerprint match={PinB}",
            "y.example (not found)",
        ];
        Assert.Equal(answers, store.List().Select(entry => $"{entry.Key} {PolicyText.Answer(entry, postfix, MapName.TlsPolicy).ToDisplayString()}"));
        Assert.EndsWith(
            " policy_type=sts policy_domain=full.example { policy_string = version: STSv1 } { policy_string = mode: enforce } mx_host_pattern=mx.full.example mx_host_pattern=*.full.example",
            PolicyText.Answer(store.Find(NextHop.Parse("full.example"))!, postfix, MapName.TlsPolicyTlsRpt).Text, StringComparison.Ordinal);
        Assert.Equal(
            "may policy_type=no-policy-found policy_failure=validation-failure",
            PolicyText.Answer(store.Find(NextHop.Parse("tlsrpt.example"))!, postfix, MapName.TlsPolicyTlsRpt).Text);

        var a = NextHop.Parse("a.example");
        var evidence = store.ReadEvidence(a);
        Assert.Equal("dane", Assert.Single(evidence.Values, reason => reason.Rule is not null).Rule);
        var state = store.ReadProbeState(a)!;
        Assert.Equal((DestinationVerdict.Degraded, 2), (state.Verdict, state.Addresses[0].History.Algorithms.Count()));
        var seen = store.ReadObservations(a);
        Assert.Equal(
            [(ProbeOutcome.Secured, 2), (ProbeOutcome.Secured, 2), (ProbeOutcome.Secured, 2)],
            seen.Select(observation => (observation.Outcome, observation.Certificates.Length)));
        Assert.Equal("95ba288933436576574919e4beb4d489b1798e8e952117865403abaa79013be6", seen[^1].Certificates[0].CertificateFingerprint);
        Assert.True(store.PlanUndo(8).Obstacles.Count > 0);
        Assert.True(store.PlanUndo(9).IsPossible);
        Assert.Equal(["near-miss", "pin-held", "resolver-not-validating"], store.OpenFindings().Select(open => open.Finding.Kind.Name()).Order());
    }

    /// <summary>What is known of a target's last attempt is found in its last observation.</summary>
    [Fact]
    public void A_store_of_version_4_keeps_what_the_last_attempts_met()
    {
        using var temporary = new TemporaryStore(create: false);
        temporary.Sql("PRAGMA journal_mode = WAL;" + Fixture(4));

        using var store = temporary.Open();

        store.CheckIntegrity();
        var addresses = store.ReadProbeState(NextHop.Parse("a.example"))!.Addresses;
        Assert.Equal(
            new LastDialogue(ProbeStage.Quit, null, ProbeOutcome.Secured, KeyAlgorithm.Ecdsa, "TLSv1.3"), Assert.Single(addresses).History.LastDialogue);
    }

    [Fact]
    public void The_newest_schema_has_what_the_programs_use()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        SqliteSchema.Apply(connection);
        Assert.Equal(
            "alert_delivery audit audit_head certificate_run change destination discovered discovery_notice finding key_material mx_target new_key observation pin probe_state probe_target prober schema_version store verdict_change",
            Scalar(connection, "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)"));
    }

    private static string Fixture(long version) =>
        version == 0
            ? ""
            : File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Store", "Fixtures", version.ToString("0000", CultureInfo.InvariantCulture) + ".sql"));

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a dump in the repository
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a constant of a test
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
