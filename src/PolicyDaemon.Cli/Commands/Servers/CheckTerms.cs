using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>What was seen, in the words of the report. Text that a peer or a zone chose is cut here and escaped where it is written.</summary>
internal static class CheckTerms
{
    private const int MaxNames = 6;

    internal static Cell Dns(CheckResult result)
    {
        var resolution = result.Resolution;
        if (!resolution.Worked)
            return new Cell($"{Refusals.Why(resolution.Outcome)}: {resolution.Detail ?? "no detail"}", Tone.Bad);
        var hosts = resolution switch
        {
            { HostIsGiven: true } => "the key names the host, no MX lookup",
            { IsImplicit: true } => $"no MX record, the domain's own addresses are used (implicit MX), {Status(resolution.MxDnssec)}",
            _ => $"{Phrases.Count(resolution.Hosts.Length, "MX host")}, {Status(resolution.MxDnssec)}",
        };
        return resolution.Detail is { } detail ? $"{hosts}; {detail}" : hosts;
    }

    internal static Cell Resolver(CheckResult result)
    {
        var probe = result.Settings.Probe;
        var servers = probe.Resolvers.IsEmpty ? "the system's" : string.Join(", ", probe.Resolvers);
        if (!probe.ResolverTrusted)
            return new Cell($"{servers}, not marked trusted (resolver_trusted): what it says of DNSSEC does not count", Tone.Caution);
        return result.Test switch
        {
            { Passed: true, Detail: null } => new Cell($"{servers}, trusted, passed its self-test", Tone.Good),
            { Passed: true, Detail: { } detail } => new Cell($"{servers}, trusted, self-test {detail}", Tone.Caution),
            { Detail: { } detail } => new Cell($"{servers}, trusted, but its self-test failed: {detail}; what it says of DNSSEC does not count", Tone.Bad),
            _ => $"{servers}, trusted, not tested",
        };
    }

    internal static Cell Sts(CheckResult result)
    {
        var sts = result.Sts;
        switch (sts.Status)
        {
            case StsStatus.NotApplicable:
                return new Cell("not for a key like this; MTA-STS is for domains", Tone.Faint);
            case StsStatus.Absent:
                return new Cell("none: no _mta-sts record", Tone.Faint);
            case StsStatus.Valid:
                var policy = sts.Policy!;
                var text = $"{policy.Mode.Name()}, max_age {policy.MaxAge.TotalSeconds:F0} ({Days(policy.MaxAge)}), id {sts.Record?.Id}, mx {Listed(policy.MxPatterns)}";
                var outside = result.Resolution.Worked && !result.Resolution.HostIsGiven && policy.Mode != StsMode.None
                    ? result.Resolution.Hosts.Where(host => !policy.Covers(host.Name)).Select(host => host.Name).ToList()
                    : [];
                return outside.Count == 0
                    ? new Cell(text, policy.Mode == StsMode.Enforce ? Tone.Good : Tone.Plain)
                    : new Cell($"{text}; does not cover {Listed(outside)} (validation-failure)", Tone.Bad);
            default:
                return new Cell($"{sts.Status.Name()}: {Phrases.Cut(sts.Detail ?? "")}", Tone.Bad);
        }
    }

    /// <summary>What discovery makes of what was found, and whether that is what Postfix is told.</summary>
    internal static Cell Discovery(CheckResult result)
    {
        if (result.Discovered is not { } state)
            return new Cell("off, or not for a key like this", Tone.Faint);
        var what = $"{(state.Verdict is { IsUnknown: false } known ? known.Answer.Name() : "unknown")}: {state.Why}";
        return result switch
        {
            { IsDiscovered: true } => what,
            { Settings.Discovery.Mode: DiscoveryMode.Observe } => $"{what}; only observed ([discovery] mode = observe)",
            { Answerer: Answerer.BelowFloor } => new Cell($"{what}; the entry takes no less than {result.Entry!.Floor.Name()}", Tone.Bad),
            { Answerer: Answerer.NearMiss } => $"{what}; near_miss = temp comes first",
            { Answerer: Answerer.Default } => $"{what}; the entry * is stricter",
            _ => $"{what}; the entry comes first",
        };
    }

    internal static Cell Entry(CheckResult result)
    {
        if (result.StoreProblem is { } problem)
            return new Cell($"unknown, the store cannot be read: {problem}", Tone.Caution);
        if (result.Entry is not { } entry)
            return new Cell(result is { IsDiscovered: true, AtDiscovered: not null } ? "none: discovery answers" : $"none: {WithoutPolicy(result)}", Tone.Faint);
        var pins = entry.Policy.Level == TlsLevel.Fingerprint ? $", {Phrases.Count(result.Expected.Length, "pin")} compared" : "";
        var floor = entry.Floor == DiscoveryFloor.None ? "" : $", at least {entry.Floor.Name()}";
        return $"{entry.Key}: {entry.Policy.Level.Name()}{floor}{pins}{(entry.Observe ? ", only observed" : "")}";
    }

    /// <summary>What mail meets where Postfix finds no policy.</summary>
    internal static string WithoutPolicy(CheckResult result)
    {
        var level = result.Settings.OfMainCf(ConfigurationKeys.SecurityLevel);
        return $"Postfix uses {level}{(result.AtSecurityLevel is { } forecast ? $", at which mail is {MailSentence.Of(forecast)}" : "")}";
    }

    internal static Cell Host(MxHost host)
    {
        if (host.AddressOutcome != DnsOutcome.Found)
        {
            return new Cell(
                host.AddressOutcome == DnsOutcome.NoAddress ? "no address" : $"{Refusals.Why(host.AddressOutcome)}: the addresses cannot be looked up", Tone.Bad);
        }

        var alias = host.CanonicalName is { } canonical ? $"; an alias (CNAME) of {canonical}, which RFC 2181 forbids for MX hosts" : "";
        return $"{Phrases.Count(host.Addresses.Length, "address", "addresses")}, {Status(host.AddressDnssec)}{alias}";
    }

    internal static Cell Tlsa(MxHost host)
    {
        if (host.TlsaFailed)
            return new Cell($"the lookup at {host.TlsaBase} failed: at level dane mail would be deferred", Tone.Bad);
        if (host.Tlsa.IsEmpty)
            return new Cell(host.TlsaBase is null ? "not asked: the addresses are not DNSSEC-secure" : "none", Tone.Faint);
        var records = host.Tlsa.Select(record => $"{Phrases.Cut(record.ToString(), 80)}{(record.WhyUnusable is { } why ? $" (not usable, tlsa-invalid: {why})" : "")}");
        return $"{string.Join("; ", records)}; {Status(host.TlsaDnssec)}";
    }

    internal static Cell Outcome(Observation seen) => seen.Outcome == ProbeOutcome.Secured
        ? new Cell(
            string.Join(' ', seen.Certificates.Take(1).Select(first => $"{first.TlsVersion} {first.Cipher}").Prepend("secured")).TrimEnd()
            + (seen.Detail is { } late ? $"; {late}" : ""), Tone.Good)
        : new Cell(
            $"{Refusals.Why(seen.Outcome)} at {seen.Stage.Name()}{(seen.Detail is { Length: > 0 } detail ? $": {detail}" : "")}",
            seen.Outcome.IsConclusive() || seen.Outcome == ProbeOutcome.HandshakeFailed ? Tone.Bad : Tone.Caution);

    internal static string Stages(Observation seen) => string.Join(", ", seen.Timings.Select(timing =>
        string.Create(CultureInfo.InvariantCulture, $"{timing.Stage.Name()} {timing.Elapsed.TotalMilliseconds:F0} ms")));

    internal static string Signature(ServerCertificate certificate) => certificate.SignatureAlgorithm.Length > 0 ? certificate.SignatureAlgorithm : "unknown";

    /// <summary>A certificate of an authority, with the key that <c>2 1 1</c> records name.</summary>
    internal static string Intermediate(ServerCertificate certificate, DigestAlgorithm digest) =>
        $"{Phrases.Cut(certificate.Subject)}; {Phrases.PublicKey(certificate)}, key pin {certificate.Digest(PinSubject.PublicKey, digest).Hex}; "
        + $"signed with {Signature(certificate)} by {Phrases.Cut(certificate.Issuer)}; until {UtcTime.Text(certificate.NotAfter)}";

    internal static string Names(ServerCertificate certificate) => Listed(certificate.Names);

    internal static Cell Validity(ServerCertificate certificate, DateTimeOffset now)
    {
        var until = $"until {UtcTime.Text(certificate.NotAfter)}";
        if (certificate.NotBefore > now)
            return new Cell($"from {UtcTime.Text(certificate.NotBefore)} only, {until}", Tone.Bad);
        var left = Phrases.DaysUntil(certificate.NotAfter, now);
        return left switch
        {
            < 0 => new Cell($"{until}, expired {Phrases.Count(-left, "day")} ago (certificate-expired)", Tone.Bad),
            < 14 => new Cell($"{until}, {Phrases.Count(left, "day")} left", Tone.Caution),
            _ => new Cell($"{until}, {Phrases.Count(left, "day")} left", Tone.Plain),
        };
    }

    internal static Cell WebPki(PresentedCertificate seen, string host) => seen.Chain switch
    {
        ChainVerdict.Trusted when seen.Certificate.Covers(host) => new Cell($"trusted, and for {host}", Tone.Good),
        ChainVerdict.Trusted => new Cell($"trusted, but not for {host} (certificate-host-mismatch)", Tone.Caution),
        ChainVerdict.Expired => new Cell("expired (certificate-expired)", Tone.Bad),
        _ => new Cell($"not trusted (certificate-not-trusted): {Phrases.Cut(seen.ChainDetail ?? "no reason given")}", Tone.Caution),
    };

    /// <summary>The pin verdict of one certificate: <c>ok</c> with what the pin is of, or what was expected.</summary>
    internal static Cell Pin(CheckResult result, ServerCertificate certificate)
    {
        foreach (var pin in result.Expected)
        {
            if (certificate.Matches(pin.Fingerprint, out var subject))
                return new Cell($"match: {pin.Fingerprint.Hex} ({Of(subject)}, {pin.State.Name()}{(pin.Strength is { } strength ? $", {strength.Name()}" : "")})", Tone.Good);
        }

        return result.Expected.IsEmpty
            ? new Cell("no pin to compare with", Tone.Caution)
            : new Cell($"MISMATCH, expected {string.Join(" or ", result.Expected.Take(MaxNames).Select(pin => pin.Fingerprint.Hex))}{(result.Expected.Length > MaxNames ? string.Create(CultureInfo.InvariantCulture, $" or one of {result.Expected.Length - MaxNames} more") : "")}", Tone.Bad);
    }

    internal static Cell Dane(ProbedAddress address, KeyAlgorithm algorithm) => address.State.DaneOf(algorithm) switch
    {
        DaneVerdict.Match => new Cell("match", Tone.Good),
        DaneVerdict.Mismatch => new Cell("MISMATCH: no TLSA record matches (validation-failure)", Tone.Bad),
        DaneVerdict.Unusable => new Cell("no usable TLSA record (tlsa-invalid)", Tone.Caution),
        DaneVerdict.Unknown => new Cell("unknown, the lookup failed", Tone.Caution),
        DaneVerdict.Unjudged => new Cell("unknown: no trusted resolver (resolver_trusted)", Tone.Caution),
        _ => new Cell("no DNSSEC-secure TLSA record", Tone.Faint),
    };

    /// <summary>The level with what it takes, such as <c>secure, match mx.example.com</c>.</summary>
    internal static string Level(LevelForecast forecast) =>
        forecast.Level.Name() + (forecast.Match.IsEmpty ? "" : $" match={string.Join(':', forecast.Match)}") + (forecast.SendsName ? " servername=hostname" : "");

    internal static Cell Delivery(DeliveryForecast forecast) => new(forecast.Text, forecast.Delivery switch
    {
        Administration.Forecast.Delivery.Delivered => Tone.Good,
        Administration.Forecast.Delivery.Deferred or Administration.Forecast.Delivery.Returned => Tone.Bad,
        _ => Tone.Caution,
    });

    internal static Cell Forecast(LevelForecast forecast) => new(
        MailSentence.Of(forecast) + (forecast is { Level: TlsLevel.Fingerprint, Mail.IsSent: true } ? ", once the keys seen now are pinned" : ""),
        forecast.Verdict switch
        {
            DestinationVerdict.Ok => Tone.Good,
            DestinationVerdict.Mismatch => Tone.Bad,
            _ => Tone.Caution,
        });

    internal static string Of(PinSubject subject) => subject == PinSubject.PublicKey ? "public key" : "certificate";

    internal static string Status(DnssecStatus status) => status == DnssecStatus.Unknown ? "DNSSEC status unknown" : $"DNSSEC {status.Name()}";

    private static string Days(TimeSpan time) => time.TotalDays >= 1 ? Phrases.Count((int)time.TotalDays, "day") : Phrases.Count((int)time.TotalHours, "hour");

    private static string Listed(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
            return "none";
        var text = string.Join(", ", names.Take(MaxNames).Select(name => Phrases.Cut(name, 80)));
        return names.Count > MaxNames ? string.Create(CultureInfo.InvariantCulture, $"{text} and {names.Count - MaxNames} more") : text;
    }
}
