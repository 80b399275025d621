using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using Xunit;

namespace PolicyDaemon.Tests.Store.Fleet;

/// <summary>Of several holders at most one trusts the lease at a time, whatever stops, is cut off or comes late; what an earlier one still writes is refused.</summary>
public sealed class ProberLeaseTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider time = new();
    private readonly LeaseTable server;

    public ProberLeaseTests() => server = new LeaseTable(time);

    public void Dispose() => server.Dispose();

    [Fact]
    public void The_first_takes_it_and_keeps_it()
    {
        using var one = Lease("one");
        using var two = Lease("two");
        for (var second = 0; second < 100; second++)
        {
            one.Step(server, mayHold: true);
            two.Step(server, mayHold: true);
            time.Advance(Second);
        }

        Assert.True(one.IsHeld);
        Assert.False(two.IsHeld);
        Assert.Equal(1, one.Token!.Epoch);
    }

    [Fact]
    public async Task One_that_lets_go_of_it_is_followed_at_once()
    {
        using var one = Lease("one");
        using var two = Lease("two");
        one.Step(server, mayHold: true);
        var over = await one.WaitAsync(TestContext.Current.CancellationToken);

        one.Release(server);
        Assert.True(over.IsCancellationRequested);
        two.Step(server, mayHold: true);

        Assert.False(one.IsHeld);
        Assert.Equal(2, two.Token!.Epoch);
    }

    [Fact]
    public void One_that_is_gone_is_followed_within_25_seconds()
    {
        using var one = Lease("one");
        using var two = Lease("two");
        one.Step(server, mayHold: true);
        var waited = TimeSpan.Zero;
        while (!two.IsHeld && waited < TimeSpan.FromMinutes(1))
        {
            time.Advance(Second);
            waited += Second;
            two.Step(server, mayHold: true);
        }

        Assert.InRange(waited, ProberLease.Term, ProberLease.Term + Second);
    }

    /// <summary>As after SIGSTOP and SIGCONT, and where the server does not answer.</summary>
    [Fact]
    public async Task One_that_is_cut_off_stops_by_its_own_clock()
    {
        using var one = Lease("one");
        one.Step(server, mayHold: true);
        var over = await one.WaitAsync(TestContext.Current.CancellationToken);
        server.IsCutOff = true;
        time.Advance(ProberLease.RenewEvery);
        Assert.Throws<StoreException>(() => one.Step(server, mayHold: true));

        time.Advance(ProberLease.Trusted - ProberLease.RenewEvery - TimeSpan.FromMilliseconds(1));
        Assert.True(one.IsHeld);
        Assert.False(over.IsCancellationRequested);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(one.IsHeld);
        Assert.True(over.IsCancellationRequested);
        server.IsCutOff = false;
        // Its own row has not run out yet: what it does from here on has another number.
        one.Step(server, mayHold: true);
        Assert.Equal(2, one.Token!.Epoch);
    }

    [Fact]
    public void One_that_is_not_to_have_it_lets_go_of_it()
    {
        using var one = Lease("one");
        one.Step(server, mayHold: true);

        one.Step(server, mayHold: false);

        Assert.False(one.IsHeld);
        Assert.True(server.Left <= 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_two_trust_it_at_once_on_any_schedule(int seed)
    {
        var random = new Random(seed);
        var takes = 0;
        for (var schedule = 0; schedule < 250; schedule++)
            takes += Run(random, $"seed {seed}, schedule {schedule}");
        Assert.True(takes > 500, $"{takes} takes are too few to have tried anything");
    }

    /// <returns>How often the lease was taken.</returns>
    private static int Run(Random random, string which)
    {
        var clock = new FakeTimeProvider();
        var table = new LeaseTable(clock);
        var members = Enumerable.Range(0, 3).Select(i => new Member(table, random, i)).ToList();
        // What the last write rested on that the server took.
        long written = 0;
        for (var turn = 0; turn < 400; turn++)
        {
            var passed = TimeSpan.FromMilliseconds(random.Next(20, 3000));
            clock.Advance(passed);
            foreach (var member in members)
                member.Advance(passed);
            foreach (var member in members)
                member.Step();

            var trusting = members.Where(member => member.Lease.IsHeld).ToList();
            Assert.True(trusting.Count <= 1, $"{which}, turn {turn}: {string.Join(" and ", trusting.Select(member => member.Lease.Token))}");
            foreach (var token in members.Select(member => member.TakeWrite()).OfType<LeaseToken>())
            {
                if (!table.Holds(token))
                    continue;
                Assert.True(token.Epoch >= written, $"{which}, turn {turn}: a write of take {token.Epoch} behind one of take {written}");
                written = token.Epoch;
            }
        }

        members.ForEach(member => member.Lease.Dispose());
        return (int)table.Epoch;
    }

    private ProberLease Lease(string node) => new("default", node, node + "-1", time);

    /// <summary>A daemon with a clock of its own, which is stopped now and then, cut off from the server, or ended.</summary>
    private sealed class Member(LeaseTable table, Random random, int number)
    {
        private readonly FakeTimeProvider own = new();
        // No clock is off by more over 20 seconds.
        private readonly double rate = 0.9 + (0.2 * random.NextDouble());
        private int stoppedFor;
        private int cutOffFor;
        private LeaseToken? write;

        internal ProberLease Lease => lease ??= new ProberLease("default", $"node{number}", string.Create(CultureInfo.InvariantCulture, $"{number}"), own);

        private ProberLease? lease;

        internal void Advance(TimeSpan passed) => own.Advance(passed * rate);

        internal void Step()
        {
            if (stoppedFor-- > 0)
                return;
            if (random.Next(40) == 0)
                stoppedFor = random.Next(30);
            if (cutOffFor-- <= 0 && random.Next(40) == 0)
                cutOffFor = random.Next(30);
            try
            {
                table.IsCutOff = cutOffFor > 0;
                Lease.Step(table, mayHold: random.Next(60) != 0);
            }
            catch (StoreException)
            {
                // The next time.
            }
            finally
            {
                table.IsCutOff = false;
            }

            // What begins now may reach the server much later.
            if (random.Next(3) == 0)
                write = Lease.Token ?? write;
        }

        internal LeaseToken? TakeWrite()
        {
            if (stoppedFor > 0 || random.Next(4) != 0)
                return null;
            var taken = write;
            write = null;
            return taken;
        }
    }
}
