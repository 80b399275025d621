using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Browser.Site;

/// <summary>Fills a store with ten weeks of probes: the rules of the pin life cycle run over peers that rotate, fail, lie and attack.</summary>
/// <remarks>The clock runs twice a day up to the present, so that what a page calls "in 9 days" is true for whoever looks at it.</remarks>
internal sealed class ShownStore
{
    /// <summary>A destination whose keys were rotated twice, once with an announcement.</summary>
    public const string Rotating = "partner.example";

    /// <summary>A destination with a key that nobody approved yet.</summary>
    public const string Changed = "changed.example";

    /// <summary>A destination that attacks whoever reads about it.</summary>
    public const string Hostile = "hostile.example";

    private const int Days = 70;

    private static readonly Actor Person = new("root", "alice", "alice");

    private readonly string database;
    private readonly DateTimeOffset end;
    private readonly FakeTimeProvider time;
    private readonly SimulatedPeers peers;
    private readonly List<NextHop> keys = [];

    private ShownStore(string database, DateTimeOffset now)
    {
        this.database = database;
        end = now;
        time = new FakeTimeProvider(now.AddDays(-Days));
        peers = new SimulatedPeers(time);
    }

    /// <summary>Makes the store.</summary>
    /// <param name="database">Where; nothing is there yet.</param>
    /// <param name="now">The present.</param>
    public static async Task FillAsync(string database, DateTimeOffset now)
    {
        var store = new ShownStore(database, now);
        PolicyStore.Create(database, Person, store.time).Dispose();
        await store.RunAsync();
    }

    private async Task RunAsync()
    {
        SimulatedServer mx1 = new("mx1.partner.example", "192.0.2.11"), mx2 = new("mx2.partner.example", "2001:db8:25::12");
        var first = PeerCertificates.SelfSigned("mx1.partner.example", Day(-200), 300, rsa: true);
        var second = PeerCertificates.Trusted("mx1.partner.example", Day(-50), 90);
        var third = PeerCertificates.Trusted("mx1.partner.example", Day(-12), 47);
        mx1.Show(first);
        mx2.Show(first);
        Add(Rotating, false, PinMode.Assist, first, mx1, mx2);

        var bank = new SimulatedServer("mx.bank.example", "192.0.2.21");
        var bankFirst = PeerCertificates.SelfSigned("mx.bank.example", Day(-90), 180);
        var bankSecond = PeerCertificates.SelfSigned("mx.bank.example", Day(-20), 180);
        bank.Show(bankFirst);
        bank.Publish(bankFirst);
        Add("bank.example", true, PinMode.Assist, bankFirst, bank);

        var changed = new SimulatedServer("mx.changed.example", "192.0.2.31");
        var changedFirst = PeerCertificates.Trusted("mx.changed.example", Day(-81), 90);
        changed.Show(changedFirst);
        Add(Changed, false, PinMode.Assist, changedFirst, changed);

        var auto = new SimulatedServer("mx.auto.example", "192.0.2.41");
        var autoFirst = PeerCertificates.Trusted("mx.auto.example", Day(-60), 90);
        auto.Show(autoFirst);
        Add("[mx.auto.example]", false, PinMode.Auto, autoFirst, auto);
        peers.Zone("mx.auto.example", false, auto);

        var gone = new SimulatedServer("mx.gone.example", "192.0.2.51") { Says = "421 4.3.2 closed for maintenance" };
        var goneFirst = PeerCertificates.SelfSigned("mx.gone.example", Day(-300), 330);
        gone.Show(goneFirst);
        Add("gone.example", false, PinMode.Locked, goneFirst, gone);

        var hostile = new SimulatedServer(HostileText.Markup + HostileText.Turning + ".example", "192.0.2.66") { Says = HostileText.Everything };
        var hostileFirst = PeerCertificates.Named(
            HostileText.Everything, ["<script>" + HostileText.Trace + "</script>.example", HostileText.Long + ".example", .. Enumerable.Repeat("san.hostile.example", 400)],
            Day(-100), 190);
        var hostileSecond = PeerCertificates.Named(HostileText.Everything, ["hostile.example"], Day(-1), 5);
        hostile.Show(hostileFirst);
        Add(Hostile, false, PinMode.Assist, hostileFirst, hostile);

        await DaysAsync(until: -50);
        // The partner announces, and deploys a week later, on one host after the other.
        Pin(Rotating, second, "announced by their postmaster, ticket 4711");
        await DaysAsync(until: -43);
        mx1.Show(second);
        await DaysAsync(until: -40);
        mx2.Show(second);
        await DaysAsync(until: -20);
        bank.Publish(bankFirst, bankSecond);
        bank.Show(bankSecond);
        await DaysAsync(until: -12);
        mx1.Show(third);
        mx2.Show(third);
        await DaysAsync(until: -11);
        Pin(Rotating, third, "read over the telephone");
        bank.Publish(bankSecond);
        await DaysAsync(until: -2);
        gone.Failure = ProbeOutcome.GreetingTemporary;
        await DaysAsync(until: -1);
        changed.Show(PeerCertificates.Trusted("mx.changed.example", Day(-1), 90));
        hostile.Show(hostileSecond);
        auto.Show(PeerCertificates.Trusted("mx.auto.example", Day(-1), 90));
        await DaysAsync(until: 0);
    }

    private DateTimeOffset Day(int day) => end.AddDays(day);

    private void Add(string key, bool isSigned, PinMode mode, PresentedCertificate pinned, params SimulatedServer[] hosts)
    {
        peers.Zone(key, isSigned, hosts);
        var entry = NextHop.Parse(key);
        keys.Add(entry);
        Write(
            $"domain add {key} --level fingerprint", null,
            change => change.Put(new Destination
            {
                Key = entry, Policy = new TlsPolicy { Level = TlsLevel.Fingerprint }, Mode = mode, Pins = [Served(pinned, PinState.Active)],
            }));
    }

    private void Pin(string key, PresentedCertificate announced, string reason) => Write($"pin add {key} {announced.Certificate.KeyId.Hex}", reason, change =>
    {
        var entry = change.Find(NextHop.Parse(key))!;
        var pin = Served(announced, PinState.Standby);
        change.Put(entry with { Pins = [.. entry.Pins.Where(known => known.Fingerprint != pin.Fingerprint), pin] });
    });

    private Pin Served(PresentedCertificate shown, PinState state) =>
        new(shown.Certificate.KeyId, PinSubject.PublicKey, state, PinStrength.Person, DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds()));

    private void Write(string command, string? reason, Action<StoreChange> work)
    {
        using var store = PolicyStore.Open(database, StoreAccess.Write, time);
        using var change = store.BeginChange(new ChangeOrigin(Person, command, reason), PostfixSettings.Default);
        work(change);
        change.Commit();
    }

    /// <summary>Lets the prober work until that many days from the present.</summary>
    private async Task DaysAsync(int until)
    {
        using var ledger = new ProbeLedger(database, PostfixSettings.Default, time);
        var options = new ScheduleOptions { AddressSpacing = TimeSpan.Zero, ProviderSpacing = TimeSpan.Zero };
        while (time.GetUtcNow() < Day(until))
        {
            // The last day has a probe every four hours, as candidates are probed.
            var step = until == 0 ? TimeSpan.FromHours(4) : TimeSpan.FromHours(12);
            var next = time.GetUtcNow() + step;
            time.SetUtcNow(next < end ? next : end);
            using var probe = new DestinationProbe(ledger, peers, peers, options, PostfixSettings.Default, time, GateMemory.ThisRun);
            foreach (var key in keys)
                await probe.RunAsync(key, ProbeReason.Person, passEnded: time.GetUtcNow(), CancellationToken.None);
        }
    }
}
