using System.Globalization;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines.Sqlite;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store;

/// <summary>
/// Every migration starts from a store as the version before it left it. <c>Store/Fixtures/0001.sql</c> and <c>0002.sql</c> are dumps
/// (<c>sqlite3 policy.db .dump</c>, with its user_version) of stores that programs of these versions made; what is newer is brought forth
/// from the second, and <c>NNNN.rows.sql</c> adds what version NNNN could hold and none before.
/// </summary>
[Trait(Engine.Name, Engine.Sqlite)]
public class MigrationTests
{
    private const long NewestDump = 2;

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
        MakeStore(connection, version - 1);
        Assert.Equal(version - 1, SqliteSchema.VersionOf(connection).Version);

        SqliteSchema.Apply(connection, version);

        Assert.Equal(version, SqliteSchema.VersionOf(connection).Version);
        Assert.Equal("ok", Scalar(connection, "PRAGMA integrity_check"));
        Assert.Null(Scalar(connection, "PRAGMA foreign_key_check"));
    }

    [Fact]
    public void The_index_of_what_is_probed_is_of_the_levels_that_the_queries_ask_for()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        MakeStore(connection, SqliteSchema.Migrations.Count);

        var index = Assert.IsType<string>(Scalar(connection, "SELECT sql FROM sqlite_master WHERE name = 'destination_probed'"));

        Assert.EndsWith($" WHERE {ProbedLevels.Condition.Replace("d.", "", StringComparison.Ordinal)} AND key <> '*'", index, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pin_served")]
    [InlineData("pin_decided")]
    public void The_indexes_of_states_of_pins_are_those_that_the_queries_use(string name)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        MakeStore(connection, SqliteSchema.Migrations.Count);

        var plan = name == "pin_served"
            ? Plan(connection, $"SELECT 1 FROM pin p WHERE destination_id = 1 AND ({PinStates.Served})")
            : Plan(connection, $"SELECT destination_id FROM pin p WHERE fingerprint = '' AND ({PinStates.Decided})");

        Assert.Contains(name, plan, StringComparison.Ordinal);
    }

    /// <summary>SQLite would make the table of an IN with more than two values with every pin that is written.</summary>
    [Fact]
    public void No_condition_of_an_index_is_a_list_of_values()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        MakeStore(connection, SqliteSchema.Migrations.Count);

        Assert.Null(Scalar(connection, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE % IN (%'"));
    }

    [Fact]
    public void A_store_of_the_first_version_keeps_all_that_it_held()
    {
        using var temporary = new TemporaryStore(create: false);
        MakeStore(temporary, 1);

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
        MakeStore(temporary, 2);

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
        MakeStore(temporary, 4);

        using var store = temporary.Open();

        store.CheckIntegrity();
        var addresses = store.ReadProbeState(NextHop.Parse("a.example"))!.Addresses;
        Assert.Equal(
            new LastDialogue(ProbeStage.Quit, null, ProbeOutcome.Secured, KeyAlgorithm.Ecdsa, "TLSv1.3"), Assert.Single(addresses).History.LastDialogue);
    }

    /// <summary>Until version 8 every pin had a strength; what nobody ever trusted was called tofu.</summary>
    [Fact]
    public void A_store_of_version_7_gives_no_strength_to_what_was_never_trusted()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        MakeStore(connection, 7);

        SqliteSchema.Apply(connection);

        Assert.Equal(
            "1111 candidate -, 2222 retired -, 3333 retired tofu, 4444 candidate tofu, 5555 retired tofu",
            Scalar(connection, "SELECT group_concat(substr(fingerprint, 1, 4) || ' ' || state || ' ' || coalesce(strength, '-'), ', ') FROM (SELECT * FROM pin WHERE id > 10 ORDER BY id)"));
        Assert.Equal("webhook", Scalar(connection, "SELECT channel FROM alert_delivery JOIN finding ON finding.id = finding_id AND told_with = finding_id"));
        Assert.Equal(1L, Scalar(connection, "SELECT count(*) FROM discovered JOIN verdict_change USING (key) JOIN discovery_notice USING (key)"));
        // Renewed in 1795559280 at the latest, and in force for a year after that.
        Assert.Equal("1 1827116880", Scalar(connection, "SELECT tlsa || ' ' || policy_until FROM discovered"));
    }

    /// <summary>The documents of the log are hashed and stay as they were; the rows lost a strength. Undo and the check of the log compare both.</summary>
    [Fact]
    public void An_entry_of_version_7_is_still_as_the_last_row_of_its_log_left_it()
    {
        using var temporary = new TemporaryStore(create: false);
        MakeStore(temporary, 7);
        using var store = temporary.Open();
        using var connection = new SqliteConnection($"Data Source={temporary.Path};Pooling=False");
        connection.Open();
        var after = Assert.IsType<string>(Scalar(connection, "SELECT after FROM audit ORDER BY sequence DESC LIMIT 1"));
        var entry = store.Find(NextHop.Parse("b.example"))!;

        Assert.Contains(entry.Pins, pin => pin is { State: PinState.Retired, Strength: null });
        Assert.True(DestinationDocument.Says(after, entry));
        Assert.False(DestinationDocument.Says(after.Replace("retired", "revoked", StringComparison.Ordinal), entry));
        Assert.False(DestinationDocument.Says(after.Replace("\"state\":\"active\",\"strength\":\"person\"", "\"state\":\"active\",\"strength\":\"tofu\"", StringComparison.Ordinal), entry));
    }

    [Fact]
    public void The_newest_schema_has_what_the_programs_use()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        SqliteSchema.Apply(connection);
        Assert.Equal(
            "alert_delivery audit audit_head certificate_run change destination discovered discovery_notice finding key_material mx_target new_key node observation pin probe_claim probe_lease probe_request probe_state probe_target prober schema_version store verdict_change",
            Scalar(connection, "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)"));
    }

    private static void MakeStore(TemporaryStore temporary, long version)
    {
        using var connection = new SqliteConnection($"Data Source={temporary.Path};Pooling=False");
        connection.Open();
        Execute(connection, "PRAGMA journal_mode = WAL");
        MakeStore(connection, version);
    }

    private static void MakeStore(SqliteConnection connection, long version)
    {
        Execute(connection, "PRAGMA foreign_keys = OFF");
        var dumped = Math.Min(version, NewestDump);
        if (dumped > 0)
            Execute(connection, File.ReadAllText(FixturePath($"{dumped:0000}.sql")));
        for (var next = dumped + 1; next <= version; next++)
        {
            SqliteSchema.Apply(connection, next);
            if (FixturePath($"{next:0000}.rows.sql") is var rows && File.Exists(rows))
                Execute(connection, File.ReadAllText(rows));
        }
    }

    private static string FixturePath(FormattableString name) =>
        Path.Combine(AppContext.BaseDirectory, "Store", "Fixtures", name.ToString(CultureInfo.InvariantCulture));

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a dump in the repository
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static string Plan(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var steps = new List<string>();
        while (reader.Read())
            steps.Add(reader.GetString(3));
        return string.Join("; ", steps);
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
