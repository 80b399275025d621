using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

public class PolicyStoreTests
{
    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Opening_and_closing_another_connection_takes_no_lock_away()
    {
        // Without its lock the store's log is removed under the daemon by the next command that ends.
        using var temporary = new TemporaryStore();
        using var held = temporary.Open(StoreAccess.Read);
        Assert.Equal(0, held.Count());
        Assert.NotEmpty(LocksOn(temporary.Path));

        using (var other = temporary.Open(StoreAccess.Read))
            Assert.Equal(0, other.Count());

        Assert.NotEmpty(LocksOn(temporary.Path));
    }

    [Fact]
    public void Every_property_of_a_destination_comes_back()
    {
        using var temporary = new TemporaryStore();
        var whole = new Destination
        {
            Key = NextHop.Parse("[mx.example.com]:587"),
            Policy = new TlsPolicy
            {
                Level = TlsLevel.Secure,
                Match = ["nexthop", ".example.net"],
                Ciphers = "high",
                Protocols = ">=TLSv1.2",
                Exclude = "aNULL:MD5",
                ServerName = "hostname",
                TaFiles = ["/etc/postfix/a.pem", "/etc/postfix/b.pem"],
                ConnectionReuse = false,
                EnableRpk = true,
                TlsRpt = new TlsRptAttributes("sts", "example.com", ["version: STSv1", "mode: enforce"], ["*.example.net"], "validation-failure"),
            },
            Pins = [Pin(PinA), Pin(PinB, PinState.Rejected)],
            Mode = PinMode.Locked,
            Observe = true,
            ProbeAs = ["mx1.example.com", "mx2.example.com"],
            Note = "contract 4711, grüße \"quoted\"",
        };

        temporary.Put(whole);

        Assert.Equal(whole, temporary.Find("[mx.example.com]:587"));
    }

    [Fact]
    public void What_was_not_committed_is_not_there()
    {
        using var temporary = new TemporaryStore();
        using (var store = temporary.Open())
        using (var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default))
            change.Put(Secure("example.com"));

        Assert.Null(temporary.Find("example.com"));
        using var after = temporary.Open(StoreAccess.Read);
        Assert.Equal(1, after.Head().Sequence);
    }

    [Fact]
    public void An_equal_destination_writes_nothing_and_makes_no_change()
    {
        using var temporary = new TemporaryStore();
        var head = temporary.Put(Secure("example.com")).Head;

        var receipt = temporary.Put(Secure("example.com"));

        Assert.Equal((0L, 0L, head), (receipt.ChangeId, receipt.Rows, receipt.Head));
    }

    [Fact]
    public void Pins_keep_their_order_and_lose_what_was_taken_away()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Pinned("example.com", Pin(PinA), Pin(PinB)));

        temporary.Put(Pinned("example.com", Pin(PinB, PinState.Retiring)));
        Assert.Equal([Pin(PinB, PinState.Retiring)], temporary.Find("example.com")!.Pins);

        temporary.Put(Pinned("example.com", Pin(PinA), Pin(PinB)));
        Assert.Equal([Pin(PinA), Pin(PinB)], temporary.Find("example.com")!.Pins);
    }

    [Theory]
    [InlineData(null, ".example.com [mx.example.com] [mx.example.com]:587 a_b.example example.com")]
    [InlineData("*example.com", ".example.com example.com")]
    [InlineData("[mx*", "[mx.example.com] [mx.example.com]:587")]
    [InlineData("a_b.exampl?", "a_b.example")]
    [InlineData("EXAMPLE.com", "example.com")]
    [InlineData("a?b*", "a_b.example")]
    [InlineData("%", "")]
    public void A_pattern_lists_in_key_order(string? pattern, string expected)
    {
        using var temporary = new TemporaryStore();
        temporary.Put([.. new[] { "example.com", "[mx.example.com]:587", ".example.com", "a_b.example", "[mx.example.com]" }
            .Select(key => Secure(key))]);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(expected, string.Join(' ', store.List(pattern).Select(destination => destination.Key.Text)));
    }

    [Fact]
    public void Other_forms_of_a_key_share_its_bare_host()
    {
        using var temporary = new TemporaryStore();
        temporary.Put([.. new[] { "mx.example.com", "[mx.example.com]:587", ".mx.example.com", "[mx.example.com]" }.Select(key => Secure(key))]);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(
            ["[mx.example.com]", "[mx.example.com]:587"],
            store.OtherForms(NextHop.Parse("mx.example.com")).Select(destination => destination.Key.Text));
    }

    [Fact]
    public void Counts_say_what_the_store_holds()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("a.example") with { Observe = true }, Secure("b.example"), Pinned("c.example", Pin(PinA), Pin(PinB, PinState.Retired)));

        using var store = temporary.Open(StoreAccess.Read);
        var counts = store.Counts();

        Assert.Equal((3L, 1L), (counts.Destinations, counts.Observed));
        Assert.Equal(2, counts.ByLevel[TlsLevel.Secure]);
        Assert.Equal(1, counts.ByLevel[TlsLevel.Fingerprint]);
        Assert.Equal(1, counts.PinsByState[PinState.Active]);
        Assert.Equal(1, counts.PinsByState[PinState.Retired]);
    }

    [Fact]
    public void A_store_opened_for_reading_cannot_be_changed()
    {
        using var temporary = new TemporaryStore();
        using var store = temporary.Open(StoreAccess.Read);

        Assert.Throws<StoreException>(() => store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default));
    }

    [Fact]
    public void A_change_that_ended_takes_nothing_more()
    {
        using var temporary = new TemporaryStore();
        using var store = temporary.Open();
        var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
        change.Commit();

        Assert.Throws<ObjectDisposedException>(() => change.Put(Secure("example.com")));
        Assert.Throws<ObjectDisposedException>(change.Commit);
        change.Dispose();
    }

    [Fact]
    public void A_text_that_would_not_come_back_is_refused()
    {
        using var temporary = new TemporaryStore();
        Assert.Throws<ArgumentException>(() => temporary.Put(Secure("example.com", "a\0b")));
        Assert.Null(temporary.Find("example.com"));
    }

    /// <summary>The POSIX locks of this process on a file (proc(5), /proc/PID/fdinfo).</summary>
    private static List<string> LocksOn(string path) =>
    [
        .. Directory.GetFiles("/proc/self/fd")
            .Where(descriptor => new FileInfo(descriptor).LinkTarget == path)
            .SelectMany(descriptor => File.ReadLines($"/proc/self/fdinfo/{Path.GetFileName(descriptor)}"))
            .Where(line => line.StartsWith("lock:", StringComparison.Ordinal)),
    ];
}
