using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Cli;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor;

/// <summary>What is judged of the daemon, the store, the disk, the clock and the alerts.</summary>
public sealed class MachineChecksTests : IDisposable
{
    private const long MiB = 1024 * 1024;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly CliSession session = new();

    private StatusReport Report => StatusReport.Gather(SettingsReader.Load(session.Config), session.Time);

    [Fact]
    public void A_daemon_that_runs_and_answers_is_well()
    {
        var findings = DaemonCheck.Judge(Report with { Running = true, Daemon = Daemon() }).ToList();

        Assert.Equal(DoctorSeverity.Ok, findings[0].Severity);
        Assert.StartsWith("policyd 1.2.3 runs since 2026-11-23T12:00:00Z, process 1: policies are answered", findings[0].Text, StringComparison.Ordinal);
        Assert.Equal("it watches 7 destinations", findings[1].Text);
    }

    [Fact]
    public void A_daemon_that_does_not_run_is_started()
    {
        var finding = Assert.Single(DaemonCheck.Judge(Report with { Running = false, Daemon = null }));

        Assert.Equal(DoctorSeverity.Problem, finding.Severity);
        Assert.Contains("mail waits", finding.Text, StringComparison.Ordinal);
        Assert.Equal(["systemctl start policyd"], finding.Remedy);
    }

    [Fact]
    public void A_daemon_of_which_nothing_can_be_seen_is_not_green() =>
        Assert.Equal(DoctorSeverity.Unknown, Assert.Single(DaemonCheck.Judge(Report with { Running = null, Daemon = null })).Severity);

    [Fact]
    public void A_daemon_that_writes_no_status_any_more_is_a_warning() => Assert.Equal(
        DoctorSeverity.Warning,
        Assert.Single(DaemonCheck.Judge(Report with { Running = true, Daemon = Daemon() with { WrittenAt = Now.AddHours(-1) } })).Severity);

    [Fact]
    public void A_daemon_without_policies_or_with_old_ones_is_a_problem()
    {
        Assert.Equal(DoctorSeverity.Problem, DaemonCheck.Judge(Report with { Running = true, Daemon = Daemon() with { Snapshot = null } }).First().Severity);
        var old = Daemon() with { Snapshot = Snapshot("file") };
        Assert.Contains("no change takes effect", DaemonCheck.Judge(Report with { Running = true, Daemon = old }).First(finding => finding.Severity == DoctorSeverity.Problem).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("off", 0, DoctorSeverity.Note)]
    [InlineData("failing", 59, DoctorSeverity.Note)]
    [InlineData("failing", 60, DoctorSeverity.Problem)]
    public void A_prober_that_does_not_probe_is_said_once_the_daemon_has_begun(string state, int seconds, DoctorSeverity severity)
    {
        var daemon = Daemon() with { StartedAt = Now.AddSeconds(-seconds), Prober = new ProberStatus(state, "the ledger is broken", 0, 0, 0, null, null, null, 0) };

        Assert.Equal(severity, DaemonCheck.Judge(Report with { Running = true, Daemon = daemon }).Single(finding => finding.Check == "prober").Severity);
    }

    [Theory]
    [InlineData("mail-waits", DoctorSeverity.Problem)]
    [InlineData("look-at-it", DoctorSeverity.Warning)]
    [InlineData("for-information", DoctorSeverity.Ok)]
    public void What_is_open_is_one_line_that_leads_to_status(string severity, DoctorSeverity expected)
    {
        var finding = DaemonCheck.Findings(Report with { Open = FindingSurvey.Of([new FindingJson("pin-mismatch", "a.example", "another key", "policyctl pin approve a.example", Now) { Severity = severity }], mail: null) });

        Assert.Equal(expected, finding.Severity);
        Assert.Equal(expected == DoctorSeverity.Ok ? [] : ["policyctl status"], finding.Remedy);
    }

    [Fact]
    public void A_store_that_can_be_used_is_counted() =>
        Assert.Equal((DoctorSeverity.Ok, $"{session.Database}: 0 destinations, audit log at row 1"), (StoreCheck.Judge(Report).Severity, StoreCheck.Judge(Report).Text));

    [Theory]
    [InlineData(StoreFault.Permission, DoctorSeverity.Unknown)]
    [InlineData(StoreFault.Locked, DoctorSeverity.Unknown)]
    [InlineData(StoreFault.Damaged, DoctorSeverity.Problem)]
    [InlineData(StoreFault.Full, DoctorSeverity.Problem)]
    [InlineData(StoreFault.Missing, DoctorSeverity.Problem)]
    public void A_store_that_cannot_be_used_is_said(StoreFault fault, DoctorSeverity expected)
    {
        var finding = StoreCheck.Judge(Report with { StoreProblem = new StoreException(fault, "the words of the store") });

        Assert.Equal(expected, finding.Severity);
        Assert.Contains("the words of the store", finding.Text, StringComparison.Ordinal);
    }

    /// <summary>An empty store in the place of a lost one would help nobody.</summary>
    [Fact]
    public void A_new_store_is_the_remedy_only_where_no_daemon_ever_ran()
    {
        var missing = Report with { StoreProblem = new StoreException(StoreFault.Missing, "there is no store") };

        Assert.Equal(["policyctl init"], StoreCheck.Judge(missing with { Daemon = null }).Remedy);
        Assert.Empty(StoreCheck.Judge(missing with { Daemon = Daemon() }).Remedy);
    }

    [Fact]
    public void A_store_that_can_only_be_read_is_a_problem() => Assert.Equal(
        [$"findmnt -T {session.Directory}"], StoreCheck.Judge(Report with { OnlyRead = new StoreException(StoreFault.ReadOnly, "mounted read-only") }).Remedy);

    [Theory]
    [InlineData(1000 * MiB, 100_000, 1_000_000, DoctorSeverity.Ok)]
    [InlineData(1000 * MiB, 0, 0, DoctorSeverity.Ok)]
    [InlineData(100 * MiB, 100_000, 1_000_000, DoctorSeverity.Warning)]
    [InlineData(1000 * MiB, 500, 1_000_000, DoctorSeverity.Warning)]
    [InlineData(1000 * MiB, 5, 1_000_000, DoctorSeverity.Problem)]
    [InlineData(1 * MiB, 100_000, 1_000_000, DoctorSeverity.Problem)]
    public void Room_and_inodes_of_the_disk_are_judged(long free, long freeInodes, long inodes, DoctorSeverity expected)
    {
        var finding = DiskCheck.Judge("/var/lib/policydaemon", new FileSystemSpace(free, 2000 * MiB, freeInodes, inodes), stored: MiB);

        Assert.Equal(expected, finding.Severity);
        Assert.Equal(expected == DoctorSeverity.Ok, finding.Remedy.Count == 0);
    }

    [Fact]
    public void A_large_store_needs_as_much_room_for_its_next_snapshot()
    {
        Assert.Equal(DoctorSeverity.Problem, DiskCheck.Judge("/x", new FileSystemSpace(1000 * MiB, 9000 * MiB, 0, 0), stored: 2000 * MiB).Severity);
        Assert.Equal(DoctorSeverity.Unknown, DiskCheck.Judge("/x", null, 0).Severity);
    }

    [Fact]
    public void The_room_of_a_file_system_is_read()
    {
        var space = FileSystemSpace.Of(session.Directory);

        Assert.NotNull(space);
        Assert.InRange(space.Value.FreeBytes, 1, space.Value.TotalBytes);
        Assert.InRange(space.Value.FreeInodes, 0, space.Value.TotalInodes);
        Assert.Null(FileSystemSpace.Of(Path.Combine(session.Directory, "nothing")));
    }

    [Fact]
    public void What_the_daemon_needs_is_its_configuration_its_store_and_the_directory_of_that()
    {
        var paths = MachineFacts.PathsOf(SettingsReader.Load(session.Config));

        Assert.Equal([session.Config, session.Directory], paths.Take(2).Select(path => path.Path));
        Assert.Contains(paths, path => path.Path == session.Database && path.Use == (PathUse.Read | PathUse.Write) && path.Facts is not null);
        Assert.Equal(StorePlace.Files(session.Database), paths.Skip(2).Select(path => path.Path));
        Assert.Empty(StorePlace.Files(session.Database + ".none"));
    }

    [Theory]
    [InlineData(true, DoctorSeverity.Ok)]
    [InlineData(false, DoctorSeverity.Warning)]
    [InlineData(null, DoctorSeverity.Unknown)]
    public void A_clock_that_nobody_keeps_is_a_warning(bool? isSynchronized, DoctorSeverity expected) =>
        Assert.Equal(expected, Assert.Single(ClockCheck.Judge(isSynchronized, [])).Severity);

    [Fact]
    public void A_clock_that_jumped_is_said_with_the_finding_s_own_remedy()
    {
        var findings = ClockCheck.Judge(true, [new FindingJson("clock-jumped", "clock", "by 3 hours", "chronyc tracking", Now)]).ToList();

        Assert.Equal((DoctorSeverity.Warning, "it jumped: by 3 hours"), (findings[0].Severity, findings[0].Text));
        Assert.Equal(["chronyc tracking"], findings[0].Remedy);
    }

    [Fact]
    public void Nobody_is_told_where_no_channel_is_configured() =>
        Assert.Equal(DoctorSeverity.Warning, Assert.Single(AlertCheck.Judge(Alerts(""), [], null)).Severity);

    [Fact]
    public void A_channel_that_was_not_tried_is_named_with_the_way_to_try_it()
    {
        var finding = Assert.Single(AlertCheck.Judge(Alerts("alert_webhook = https://hook.example/x"), [], null));

        Assert.Equal((DoctorSeverity.Ok, "findings go to alert_webhook (hook.example); not tried, policyctl doctor --send does"), (finding.Severity, finding.Text));
    }

    [Fact]
    public void A_channel_that_failed_is_a_problem()
    {
        var alerts = Alerts("alert_command = /bin/true");

        var sent = AlertCheck.Judge(alerts, [], [new SentAlert("alert_command", null), new SentAlert("alert_webhook", "404")]).ToList();
        Assert.Equal([DoctorSeverity.Ok, DoctorSeverity.Problem], sent.Select(finding => finding.Severity));
        var open = Assert.Single(AlertCheck.Judge(alerts, [new FindingJson("alert-not-delivered", "alert_command", "it ended with status 1", "x", Now)], null));
        Assert.Equal(DoctorSeverity.Problem, open.Severity);
    }

    public void Dispose() => session.Dispose();

    private static AlertSettings Alerts(string probe) => SettingsReader.TryParse($"[probe]\n{probe}\n")!.Probe.Alerts;

    private static SnapshotStatus Snapshot(string source) => new(source, "id", 1, AuditHead.Empty.Hash, 0, Now);

    private static DaemonStatus Daemon() => new(
        "1.2.3", 1, Now, Now, [], Snapshot("store"), new LookupCounts(0, 0, 0, 0, 0, new ConnectionCounts(0, 0, 0, 0, 0, 0), 0), [],
        new ProberStatus("on", null, 7, 0, 0, null, null, null, 0));
}
