using System.Collections.Immutable;
using System.Net;
using System.Text;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>A destination with its servers and a clock: the rules run over it as the prober would run them.</summary>
internal sealed class RotationScenario
{
    private readonly SortedDictionary<string, AddressState> addresses = new(StringComparer.Ordinal);

    public DateTimeOffset Now { get; set; } = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public string Entry { get; set; } = "example.com";

    public bool IsObserved { get; set; }

    public PinMode Mode { get; set; } = PinMode.Assist;

    public List<Pin> Pins { get; } = [];

    public MxHistory Mx { get; set; } = new();

    public Brake Brake { get; set; }

    /// <summary>A brake that counted so many hosts within an hour, and new keys at some.</summary>
    public static Brake Counted(int hosts, int newKeys, DateTimeOffset? passEnded, DateTimeOffset now) => new(
        new BrakeCounts { PinnedHosts = hosts, Probed = hosts, NewInHour = newKeys, NewInDay = newKeys, UsualDay = hosts }, passEnded, now);

    public PostfixSettings Postfix { get; set; } = PostfixSettings.Default;

    public DateTimeOffset? ClockSetAt { get; set; }

    public ImmutableArray<PinRefusal> Refusals { get; set; } = [];

    public ImmutableArray<PinElsewhere> Elsewhere { get; set; } = [];

    public List<TlsaRecord> Tlsa { get; } = [];

    public bool ReverseAddresses { get; set; }

    // The names that tests give to MX hosts.
    private static readonly ImmutableArray<string> Hosts =
        ["mx.example", "a.example", "b.example", "mx1.example", "mx2.example", "mx3.example", "old.example", "new.example", "other.example"];

    /// <summary>A certificate whose octets are its name; equal key names share the public key.</summary>
    public static ServerCertificate Certificate(
        string name, string? key = null, KeyAlgorithm algorithm = KeyAlgorithm.Ecdsa, int bits = 256, string? host = null) =>
        new(
            [.. Encoding.ASCII.GetBytes("certificate " + name)], [.. Encoding.ASCII.GetBytes("key " + (key ?? name))], algorithm, bits,
            new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
        {
            Names = host is null ? Hosts : [host],
        };

    public static Fingerprint KeyOf(string key, DigestAlgorithm digest = DigestAlgorithm.Sha256) =>
        Fingerprint.Compute(digest, Encoding.ASCII.GetBytes("key " + key));

    public static TlsaRecord TlsaOf(string key) =>
        new(3, 1, 1, [.. Convert.FromHexString(KeyOf(key).Hex)]);

    public Pin Pin(string key, PinState state = PinState.Active)
    {
        var pin = new Pin(KeyOf(key), PinSubject.PublicKey, state, PinStrength.Person, Now);
        Pins.Add(pin);
        return pin;
    }

    public void Server(string address, string host = "mx.example")
    {
        addresses.Add(address, new AddressState
        {
            MxHost = host,
            History = new AddressHistory(new ProbeTarget(IPAddress.Parse(address), 25)),
        });
        Mx = Mx with { Hosts = Mx.Hosts.Add(host) };
    }

    public void Unlist(string address) => addresses[address] = addresses[address] with { Listed = false };

    public void See(string address, ServerCertificate certificate, bool trusted = false) =>
        Observe(address, ProbeOutcome.Secured, [(certificate, trusted)]);

    public void See(string address, string name, bool trusted = false) => See(address, Certificate(name), trusted);

    public void Fail(string address, ProbeOutcome outcome) => Observe(address, outcome, []);

    /// <summary>The server offers STARTTLS and refuses it.</summary>
    public void RefuseStartTls(string address, int replyCode) => Observe(new Observation
    {
        Target = addresses[address].History.Target, At = Now, Outcome = ProbeOutcome.StartTlsRefused, Stage = ProbeStage.StartTls, ReplyCode = replyCode,
    });

    public void Observe(
        string address, ProbeOutcome outcome, (ServerCertificate Certificate, bool Trusted)[] seen, params KeyAlgorithm[] absent) => Observe(new Observation
        {
            Target = addresses[address].History.Target,
            At = Now,
            Outcome = outcome,
            Stage = ProbeStage.Handshake,
            Certificates =
            [
                .. seen.Select(one => new PresentedCertificate(
                    one.Certificate, [], one.Trusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, null, "TLSv1.3", "x")),
            ],
            Absent = [.. absent],
        });

    private void Observe(Observation observation)
    {
        var address = observation.Target.Address.ToString();
        addresses[address] = addresses[address] with { History = addresses[address].History.With(observation) };
    }

    public RotationInput Input() => new()
    {
        Entry = Entry,
        IsObserved = IsObserved,
        Mode = Mode,
        Pins = [.. Pins],
        Digest = DigestAlgorithm.Sha256,
        Delivery = new DeliveryPolicy(TlsLevel.Fingerprint, NextHop.Parse("example.com")),
        Postfix = Postfix,
        Addresses = [.. (ReverseAddresses ? addresses.Values.Reverse() : addresses.Values).Select(WithDane)],
        Mx = Mx,
        Brake = Brake,
        ClockSetAt = ClockSetAt,
        Refusals = Refusals,
        Elsewhere = Elsewhere,
        Now = Now,
    };

    public RotationResult Evaluate() => PinRotation.Evaluate(Input());

    /// <summary>Evaluates and applies, as the ledger does.</summary>
    public RotationResult Step()
    {
        var result = Evaluate();
        foreach (var transition in result.Transitions)
        {
            var index = Pins.FindIndex(pin => pin.Fingerprint == transition.Fingerprint);
            if (transition.To is not { } state)
            {
                Pins.RemoveAt(index);
                continue;
            }

            var next = new Pin(transition.Fingerprint, transition.Subject, state, transition.Strength, Now);
            if (index < 0)
                Pins.Add(next);
            else
                Pins[index] = next;
        }

        if (result.SeesServedPin)
            Mx = Mx with { TrustedHosts = Mx.Hosts };
        return result;
    }

    /// <summary>Every few hours: time passes, all servers are seen, the rules run.</summary>
    public void Days(double days, Action see, double everyHours = 12)
    {
        for (var end = Now.AddDays(days); Now < end;)
        {
            Now = Now.AddHours(everyHours);
            see();
            Step();
        }
    }

    public PinState? StateOf(string key) => Pins.Find(pin => pin.Fingerprint == KeyOf(key))?.State;

    /// <summary>Everything DNSSEC-secure since long ago.</summary>
    public void Secure() =>
        Mx = Mx with { Dnssec = DnssecStatus.Secure, WasSecure = true, SecureSince = Now.AddYears(-1) };

    private AddressState WithDane(AddressState address)
    {
        if (Tlsa.Count == 0)
            return address;
        return address with
        {
            SecureTlsa = [.. Tlsa],
            Dane =
            [
                .. address.History.Algorithms
                    .Select(algorithm => (algorithm, address.History.Latest(algorithm)!.Certificate))
                    .Where(pair => pair.Certificate is not null)
                    .Select(pair => (pair.algorithm, Matches(pair.Certificate!) ? DaneVerdict.Match : DaneVerdict.Mismatch)),
            ],
        };
    }

    private bool Matches(ServerCertificate certificate) =>
        Tlsa.Any(record => record.Matches(certificate.Der.AsSpan(), certificate.PublicKey.AsSpan()));
}
