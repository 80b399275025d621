using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Json;

/// <summary>The result of <c>check</c>: everything that was seen.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Unicode">The key with U-labels.</param>
/// <param name="CheckedAt">When.</param>
/// <param name="Digest">Of every fingerprint here: the digest that Postfix compares.</param>
/// <param name="Verdict"><c>ok</c>, <c>degraded</c>, <c>mismatch</c>, <c>unreachable</c> or <c>unknown</c>, at the entry's level or else the strongest; unknown where DNS, or a temporary error of policyd, ends the matter.</param>
/// <param name="Mail">What happens to mail, in words.</param>
/// <param name="Results">What can become of it: <c>sent-over-tls</c>, <c>sent-in-plain-text</c>, <c>deferred</c>, <c>returned</c> or <c>unknown</c>; several where chance decides.</param>
/// <param name="AfterWait">True where the first attempt fails and a later one goes through.</param>
/// <param name="Strongest">The strongest level that would deliver; null where none would, or nothing was reached.</param>
/// <param name="Command">The command that sets it; null where there is nothing to set.</param>
/// <param name="Notes">What to know before acting on it.</param>
/// <param name="Levels">Every level: first those that can be proposed, the strongest first of all.</param>
/// <param name="WithoutPolicy">What mail meets where Postfix finds no policy, at <c>security_level</c>; null where that cannot be told.</param>
/// <param name="Entry">The entry that decides about this destination: its own, a parent's or <c>*</c>; null where there is none.</param>
/// <param name="Expected">The pins that are compared.</param>
/// <param name="StoreProblem">Why the store could not be asked; null where it could.</param>
/// <param name="Resolver">Who was asked.</param>
/// <param name="Dns">Where mail goes.</param>
/// <param name="MtaSts">The domain's MTA-STS policy.</param>
/// <param name="Discovered">What discovery makes of what was found; null where it is off, or not for this key.</param>
/// <param name="Waiting">The mail that waits for it; null where none does, or the queue is not known.</param>
/// <param name="Assumes">The settings of main.cf that the forecast rests on.</param>
/// <param name="Mx">The MX hosts by preference.</param>
/// <param name="Observations">What each address showed; where the MX host's name was also sent (SNI), what it showed then, too.</param>
internal sealed record CheckJson(
    string Key, string Unicode, DateTimeOffset CheckedAt, string Digest, string Verdict, string Mail, IReadOnlyList<string> Results, bool AfterWait,
    LevelJson? Strongest, string? Command,
    IReadOnlyList<string> Notes, IReadOnlyList<LevelJson> Levels, LevelJson? WithoutPolicy, DestinationJson? Entry, IReadOnlyList<string> Expected, string? StoreProblem,
    ResolverStatus Resolver, DnsJson Dns, MtaStsJson MtaSts, DiscoveredJson? Discovered, DestinationMailJson? Waiting, IReadOnlyList<string> Assumes, IReadOnlyList<MxHostJson> Mx, IReadOnlyList<ObservationJson> Observations)
{
    internal static CheckJson From(CheckResult result, WaitingMail? mail)
    {
        var forecast = DeliveryForecast.Of(result);
        return new CheckJson(
            result.Key.Text,
            result.Key.ToDisplayString(),
            result.At,
            result.Digest.Name(),
            forecast.Verdict.Name(),
            forecast.Text,
            [.. forecast.Results.Select(mail => mail.Name())],
            forecast.Mail?.IsAfterWait ?? false,
            result.Strongest is { } strongest ? LevelJson.From(strongest) : null,
            LevelCommand.For(result),
            [.. CheckAdvice.Of(result)],
            [.. result.Levels.Select(LevelJson.From)],
            result.AtSecurityLevel is { } without ? LevelJson.From(without) : null,
            result.Entry is { } entry ? DestinationJson.From(entry, result.Settings.Postfix) : null,
            [.. result.Expected.Select(pin => pin.Fingerprint.Hex)],
            result.StoreProblem,
            StatusOf(result),
            DnsJson.From(result.Resolution),
            MtaStsJson.From(result),
            result.Discovered is { } state ? DiscoveredJson.From(state, result.Settings.Postfix.SecurityLevel, result.Record.Discovery?.Answers ?? [], result.At) : null,
            DestinationMailJson.From(mail, result.Key),
            [.. Assumptions.Of(result.Settings)],
            [.. result.Resolution.Hosts.Select(MxHostJson.From)],
            [.. result.Probed.Addresses.SelectMany(address => Seen(result, address))]);
    }

    private static ResolverStatus StatusOf(CheckResult result) => new(
        [.. result.Settings.Probe.Resolvers.Select(server => server.ToString())], result.Settings.Probe.ResolverTrusted,
        result.Test?.Passed, result.Test?.At, result.Test?.Detail);

    private static IEnumerable<ObservationJson> Seen(CheckResult result, ProbedAddress address)
    {
        var frame = new CertificateFrame(result.Digest, result.Entry?.Policy.Level.MatchesFingerprints() == true ? result.Expected : null, result.At);
        yield return ObservationJson.From(address.Host.Name, address.Observation, address.State.DaneOf, frame);
        if (address.Named is { } named)
            yield return ObservationJson.From(address.Host.Name, named, address.NamedState.DaneOf, frame);
    }
}

/// <summary>What a level would do to mail now.</summary>
/// <param name="Level">The level.</param>
/// <param name="Match">The <c>match</c> names that it takes; empty for the level's own.</param>
/// <param name="Servername"><c>hostname</c> where it takes that, because the servers show another certificate without SNI; otherwise null.</param>
/// <param name="Verdict">As above.</param>
/// <param name="Results">As above.</param>
/// <param name="AfterWait">As above.</param>
/// <param name="Why">Why it is out of the question; null where only the refusals speak against it, or nothing.</param>
/// <param name="Refusals">Addresses at which mail would not go through.</param>
internal sealed record LevelJson(
    string Level, IReadOnlyList<string> Match, string? Servername, string Verdict, IReadOnlyList<string> Results, bool AfterWait, string? Why,
    IReadOnlyList<RefusalJson> Refusals)
{
    internal static LevelJson From(LevelForecast forecast) => new(
        forecast.Level.Name(), forecast.Match, forecast.SendsName ? ServerNames.HostName : null, forecast.Verdict.Name(),
        [.. forecast.Mail.Results.Select(mail => mail.Name())], forecast.Mail.IsAfterWait, forecast.Why,
        [
            .. forecast.Mail.Refusals.Select(refusal => new RefusalJson(
                refusal.Address.MxHost, refusal.Address.History.Target.Address.ToString(), refusal.Why.Name(), refusal.Why.ResultType())),
        ]);
}

/// <summary>An address at which mail would not go through.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">Its address.</param>
/// <param name="Outcome">The reason's name.</param>
/// <param name="ResultType">The reason's result type in RFC 8460; null where it has none.</param>
internal sealed record RefusalJson(string MxHost, string Address, string Outcome, string? ResultType);

/// <summary>What DNS says of the destination.</summary>
/// <param name="Outcome"><c>found</c>, <c>no-mx</c>, <c>null-mx</c>, <c>dns-failure</c> or <c>bogus</c>.</param>
/// <param name="ResultType">Of a failure, in RFC 8460; null where it has none.</param>
/// <param name="Detail">What went wrong.</param>
/// <param name="Port">The port that mail goes to.</param>
/// <param name="Dnssec">Of the MX records: <c>unknown</c>, <c>insecure</c>, <c>secure</c> or <c>bogus</c>.</param>
/// <param name="Implicit">True where there are no MX records and the domain's own addresses are used.</param>
/// <param name="HostGiven">True where the key names the host.</param>
internal sealed record DnsJson(string Outcome, string? ResultType, string? Detail, int Port, string Dnssec, bool Implicit, bool HostGiven)
{
    internal static DnsJson From(MxResolution resolution) => new(
        resolution.Outcome.Name(), resolution.Outcome.AsProbeOutcome()?.ResultType(), resolution.Detail, resolution.Port, resolution.MxDnssec.Name(),
        resolution.IsImplicit, resolution.HostIsGiven);
}

/// <summary>MTA-STS.</summary>
/// <param name="Status"><c>not-applicable</c>, <c>absent</c>, <c>valid</c>, <c>dns-failure</c>, or a result type of RFC 8460: <c>sts-policy-fetch-error</c>, <c>sts-webpki-invalid</c>, <c>sts-policy-invalid</c>.</param>
/// <param name="Detail">What went wrong.</param>
/// <param name="Id">Of the record.</param>
/// <param name="Mode"><c>enforce</c>, <c>testing</c> or <c>none</c>.</param>
/// <param name="MaxAge">Seconds.</param>
/// <param name="Mx">The patterns.</param>
/// <param name="NotCovered">MX hosts that no pattern covers.</param>
internal sealed record MtaStsJson(
    string Status, string? Detail, string? Id, string? Mode, long? MaxAge, IReadOnlyList<string> Mx, IReadOnlyList<string> NotCovered)
{
    internal static MtaStsJson From(CheckResult result) => new(
        result.Sts.Status.Name(), result.Sts.Detail, result.Sts.Record?.Id, result.Sts.Policy?.Mode.Name(),
        result.Sts.Policy is { } policy ? (long)policy.MaxAge.TotalSeconds : null, result.Sts.Policy?.MxPatterns ?? [],
        result.Sts.Policy is { Mode: not StsMode.None } known
            ? [.. result.Resolution.Hosts.Where(host => !known.Covers(host.Name)).Select(host => host.Name)]
            : []);
}
