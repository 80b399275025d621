using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Administration.Doctor;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor;

public sealed class DoctorRunTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task A_check_that_hangs_is_a_finding_and_the_others_are_made()
    {
        var never = new TaskCompletionSource<IReadOnlyList<DoctorFinding>>();
        var run = new DoctorRun(time);
        var (begins, stops) = (new TaskCompletionSource(), new TaskCompletionSource());
        run.Begin("resolver", TimeSpan.FromSeconds(30), ended =>
        {
            ended.Register(() => stops.TrySetResult());
            begins.TrySetResult();
            return never.Task;
        }, CancellationToken.None);
        run.Begin("disk", TimeSpan.FromHours(1), () => [DoctorFinding.Ok("disk", "free")], CancellationToken.None);

        // The time of each check runs since it was begun; what is not under way yet would not be there to be stopped.
        await begins.Task.WaitAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(
            [DoctorFinding.Unknown("resolver", "it did not end within 30 s, so that nothing is known of it"), DoctorFinding.Ok("disk", "free")],
            await run.EndAsync(), SameFinding);
        await stops.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_check_that_breaks_costs_its_own_line()
    {
        var run = new DoctorRun(time);
        run.Begin("rights", TimeSpan.FromSeconds(10), () => throw new InvalidOperationException("an assumption"), CancellationToken.None);
        run.Begin("disk", TimeSpan.FromSeconds(10), () => [DoctorFinding.Ok("disk", "free")], CancellationToken.None);

        Assert.Equal(
            [DoctorFinding.Unknown("rights", "it could not be looked at: an assumption"), DoctorFinding.Ok("disk", "free")], await run.EndAsync(), SameFinding);
    }

    [Fact]
    public async Task An_interruption_is_no_finding()
    {
        using var interrupted = new CancellationTokenSource();
        var run = new DoctorRun(time);
        run.Begin("own", TimeSpan.FromMinutes(3), async ended =>
        {
            await interrupted.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ended);
            return [];
        }, interrupted.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(run.EndAsync);
    }

    [Fact]
    public void The_list_goes_from_green_to_red()
    {
        DoctorSeverity[] severities = [DoctorSeverity.Problem, DoctorSeverity.Ok, DoctorSeverity.Unknown, DoctorSeverity.Warning, DoctorSeverity.Note];

        Assert.Equal(
            ["ok", "note", "unknown", "warning", "problem"],
            DoctorFinding.Ordered(severities.Select(severity => new DoctorFinding("x", severity, ""))).Select(finding => finding.Severity.Name()));
    }

    private static bool SameFinding(DoctorFinding one, DoctorFinding other) => (one.Check, one.Severity, one.Text) == (other.Check, other.Severity, other.Text);
}
