using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

/// <summary>A clock that was wrong for a moment, as a dead battery or an administrator's slip makes it.</summary>
public sealed class ClockTests : IAsyncDisposable
{
    private static readonly NextHop One = NextHop.Parse("one.example");

    private readonly SettableClock time = new(TestCertificates.Now);
    private readonly MemoryLedger ledger = new();
    private readonly FakeNetwork network;
    private readonly ScheduleOptions options = new() { ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.Zero };
    private CancellationTokenSource stop = new();
    private ProbeEngine? engine;
    private Task running = Task.CompletedTask;

    public ClockTests()
    {
        network = new FakeNetwork(time);
        ledger.Add("one.example", new Pin(RotationScenario.KeyOf("key"), PinSubject.PublicKey, PinState.Active, PinStrength.Person, TestCertificates.Now));
        network.Zone("one.example", "198.51.100.1");
        network.Server("198.51.100.1", "key");
    }

    [Theory]
    [InlineData(6)]
    [InlineData(24 * 400)]
    public async Task A_clock_that_was_ahead_for_a_moment_stops_nothing(int hours)
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        await ProbeAheadAsync(hours);

        time.Set(TimeSpan.FromHours(-hours));
        network.Server("198.51.100.1", "new");

        await AdvanceUntilAsync(() => ledger.StateOf("one.example", RotationScenario.KeyOf("new")) == PinState.Candidate);
        Assert.InRange(ledger.Results.Last().NextDue - time.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromHours(27));
        Assert.StartsWith("the clock of this machine was set back by ", Jumped()!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_finding_ends_when_the_clock_has_kept_time_for_an_hour()
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        time.Set(TimeSpan.FromHours(-1));
        await AdvanceUntilAsync(() => Jumped() is not null);

        for (var minute = 0; minute < 55; minute++)
            time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(Jumped());
        // Without a bound: the loop may look only when a minute passes after it has looked.
        await Until.TrueAsync(() => Jumped() is null, () => time.Advance(TimeSpan.FromMinutes(1)));
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-30)]
    public async Task Seconds_are_nobodys_business(int seconds)
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        time.Set(TimeSpan.FromSeconds(seconds));
        var again = ledger.Results.Count + 1;
        engine!.Want(One, ProbeReason.Person);
        await AdvanceUntilAsync(() => ledger.Results.Count == again);

        Assert.Null(Jumped());
    }

    [Fact]
    public async Task What_was_put_off_before_the_start_by_more_than_anything_waits_is_due()
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        await ProbeAheadAsync(24 * 400);
        await StopAsync();

        time.Set(TimeSpan.FromDays(-400));
        Start();

        await AdvanceUntilAsync(() => network.Connections.Count == 3);
        await Until.TrueAsync(() => engine!.IsIdle);
        Assert.Null(Jumped());
    }

    [Fact]
    public async Task A_lookup_makes_a_probe_of_the_future_due()
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        await ProbeAheadAsync(6);
        await StopAsync();

        time.Set(TimeSpan.FromHours(-6));
        Start();
        engine!.Want(One, ProbeReason.Lookup);

        await AdvanceUntilAsync(() => network.Connections.Count == 3);
    }

    [Fact]
    public async Task Evidence_waits_for_a_pass_that_ended_since_the_clock_was_set_back()
    {
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        await ProbeAheadAsync(6);
        Assert.NotNull(engine!.PassEnded);

        time.Set(TimeSpan.FromHours(-6));
        network.Barrier = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await AdvanceUntilAsync(() => network.Connections.Count == 3);
        Assert.Null(engine.PassEnded);
        network.Barrier.SetResult();
        await Until.TrueAsync(() => engine.PassEnded is not null);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private Finding? Jumped() => ledger.ProberFindings.SingleOrDefault(finding => finding.Kind == FindingKind.ClockJumped);

    /// <summary>The clock is ahead, and the destination is probed by it: connected to once, however many results stand on that. One of the
    /// schedule may begin before the one that is asked for, for which it then stands in.</summary>
    private async Task ProbeAheadAsync(int hours)
    {
        time.Advance(TimeSpan.FromMinutes(2));
        time.Set(TimeSpan.FromHours(hours));
        engine!.Want(One, ProbeReason.Person);
        await Until.TrueAsync(() => ledger.Results.Count >= 2);
        Assert.True(ledger.Results.Last().At > TestCertificates.Now.AddHours(hours));
        await Until.TrueAsync(() => engine.IsIdle);
    }

    private void Start()
    {
        engine = new ProbeEngine(ledger, network, network, options, PostfixSettings.Default, new Random(1), time, NullLogger.Instance);
        running = Task.Run(() => engine.RunAsync(stop.Token));
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        engine?.Dispose();
        stop.Dispose();
        stop = new CancellationTokenSource();
    }

    /// <summary>Lets minutes go by, for the spacing of an address and the longest time that the engine sleeps: half an hour at most.</summary>
    private Task AdvanceUntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var minutes = 0;
        return Until.TrueAsync(condition, () =>
        {
            if (minutes++ < 30)
                time.Advance(TimeSpan.FromMinutes(1));
        }, what);
    }
}
