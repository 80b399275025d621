using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class DueWindowTests
{
    private const int Page = 20;
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private readonly MemoryLedger ledger = new();
    private readonly HashSet<NextHop> running = [];
    private readonly DueWindow window;
    private DateTimeOffset now = Start;

    public DueWindowTests() => window = new DueWindow(ledger, running.Contains, Page);

    [Fact]
    public void Everything_that_was_never_probed_is_taken_once_however_much_it_is()
    {
        Add(10 * Page);

        Assert.Equal(Names(10 * Page).Order(), TakeAll().Order());
        Assert.Equal(10 * Page, window.Destinations);
        Assert.Empty(TakeAll());
    }

    [Fact]
    public void What_was_never_probed_does_not_wait_for_what_is_due_again_in_minutes()
    {
        Add(10 * Page);

        Assert.Equal(Names(10 * Page).Order(), TakeAndReturnAll(now.AddMinutes(3)).Order());
    }

    [Fact]
    public void Of_a_backlog_the_longest_due_come_first_and_little_of_it_is_in_memory()
    {
        Add(10 * Page);
        for (var i = 0; i < 10 * Page; i++)
            Probed(i, Start.AddMinutes(-i));

        var first = Take();
        Assert.Equal($"d{(10 * Page) - 1}.example", first);
        Assert.Equal((10 * Page) - 1, window.CountDue(now));
        Return(first, now.AddDays(1));
        Assert.Equal(Enumerable.Range(1, (10 * Page) - 1).Select(i => $"d{(10 * Page) - 1 - i}.example"), TakeAndReturnAll(now.AddDays(1)));
        // Half a page is done between two questions to the ledger.
        Assert.InRange(ledger.Listed, 10, 25);
    }

    [Fact]
    public void What_all_falls_due_in_the_same_second_is_asked_for_in_pages_too()
    {
        Add(10 * Page);
        for (var i = 0; i < 10 * Page; i++)
            Probed(i, Start.AddMinutes(-1));

        Assert.Equal(10 * Page, TakeAndReturnAll(now.AddDays(1)).Count);
        Assert.InRange(ledger.Listed, 10, 25);
    }

    [Fact]
    public void What_is_due_later_is_taken_when_it_is_due()
    {
        Add(3);
        Probed(0, Start.AddMinutes(4));
        Probed(1, Start.AddHours(3));
        Probed(2, Start.AddDays(2));
        var taken = new List<(string, DateTimeOffset)>();
        while (taken.Count < 3)
        {
            if (TryTake() is { } key)
            {
                taken.Add((key, now));
                Return(key, now.AddDays(30));
            }
            else
                now = window.Next();
        }

        Assert.Equal([("d0.example", Start.AddMinutes(4)), ("d1.example", Start.AddHours(3)), ("d2.example", Start.AddDays(2))], taken);
    }

    [Fact]
    public void A_key_that_is_probed_now_is_not_taken_a_second_time()
    {
        Add(1);
        var key = Take();
        running.Add(NextHop.Parse(key));

        window.ListChanged(anyKey: true);

        Assert.Null(TryTake());
    }

    [Fact]
    public void A_key_may_be_hastened_before_the_window_reaches_it()
    {
        Add(1);
        Probed(0, Start.AddDays(1));
        Assert.Null(TryTake());

        window.Hasten(NextHop.Parse("d0.example"), now, ProbeReason.Lookup);

        Assert.True(window.TryTake(now, out var key, out var reason));
        Assert.Equal(("d0.example", ProbeReason.Lookup), (key.Text, reason));
    }

    [Fact]
    public void A_probe_that_the_ledger_could_not_keep_is_made_again_and_one_that_it_kept_is_not()
    {
        Add(2);
        Probed(0, Start);
        Probed(1, Start);
        TakeAll();
        window.Return(NextHop.Parse("d0.example"), now.AddMinutes(5), isKept: false);
        Probed(1, now.AddDays(1));
        window.Return(NextHop.Parse("d1.example"), now.AddDays(1), isKept: true);

        now = now.AddMinutes(6);

        Assert.Equal(["d0.example"], TakeAll());
    }

    [Fact]
    public void What_the_ledger_lists_and_cannot_be_probed_keeps_nobody_busy_and_nobody_waiting()
    {
        Add(Page + 3);
        for (var i = 0; i < Page + 3; i++)
            Probed(i, Start.AddMinutes(i - 60));
        var taken = new List<string>();
        for (var second = 0; second < 300; second++)
        {
            while (TryTake() is { } key)
            {
                taken.Add(key);
                if (taken.Count > Page)
                    Return(key, now.AddDays(1));
                else
                    window.Forget(NextHop.Parse(key));
            }

            now = now.AddSeconds(1);
        }

        Assert.Equal(Names(Page + 3), taken);
        Assert.InRange(ledger.Listed, 2, 20);
    }

    [Fact]
    public void A_destination_that_is_added_is_found_when_the_list_has_changed()
    {
        Add(1);
        TakeAll();
        Probed(0, Start.AddDays(1));
        ledger.Add("added.example");

        Assert.Null(TryTake());
        window.ListChanged(anyKey: false);
        Assert.Null(TryTake());
        Assert.Equal(2, window.Destinations);
        window.ListChanged(anyKey: true);
        Assert.Equal("added.example", TryTake());
    }

    [Fact]
    public void A_ledger_that_cannot_be_read_is_asked_again_later_and_what_is_known_goes_on()
    {
        Add(1);
        window.Hasten(NextHop.Parse("d0.example"), now, ProbeReason.Person);
        ledger.IsBroken = true;

        Assert.Throws<LedgerUnavailableException>(() => TryTake());
        window.RetryAt(now.AddMinutes(5));

        Assert.Equal("d0.example", TryTake());
        Assert.Null(TryTake());
        Assert.Equal(now.AddMinutes(5), window.Next());
        ledger.IsBroken = false;
        now = now.AddMinutes(5);
        Assert.Equal("d0.example", TryTake());
    }

    private static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(i => $"d{i}.example");

    private void Add(int count)
    {
        foreach (var name in Names(count))
            ledger.Add(name);
    }

    private void Probed(int i, DateTimeOffset due) => ledger.SetDue($"d{i}.example", due);

    private string? TryTake() => window.TryTake(now, out var key, out _) ? key.Text : null;

    private string Take() => TryTake() ?? throw new InvalidOperationException("nothing is due");

    private List<string> TakeAll()
    {
        var taken = new List<string>();
        while (TryTake() is { } key)
            taken.Add(key);
        return taken;
    }

    private List<string> TakeAndReturnAll(DateTimeOffset due)
    {
        var taken = new List<string>();
        while (TryTake() is { } key)
        {
            taken.Add(key);
            Return(key, due);
        }

        return taken;
    }

    private void Return(string key, DateTimeOffset due)
    {
        ledger.SetDue(key, due);
        window.Return(NextHop.Parse(key), due, isKept: true);
    }
}
