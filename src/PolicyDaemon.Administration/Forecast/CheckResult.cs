using System.Collections.Immutable;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Dns;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>Everything that <see cref="DestinationCheck"/> found out about a destination.</summary>
public sealed record CheckResult
{
    public required NextHop Key { get; init; }

    public required DateTimeOffset At { get; init; }

    public required Settings Settings { get; init; }

    /// <summary>DNS, and what every address showed.</summary>
    public required ProbedDestination Probed { get; init; }

    /// <summary>The self-test of a trusted resolver; null where the resolver is not trusted.</summary>
    public required ResolverTest? Test { get; init; }

    /// <summary>The domain's MTA-STS policy.</summary>
    public required StsDiscovery Sts { get; init; }

    /// <summary>The entry that decides about mail to this destination: its own, or else the nearest enforced parent's or <c>*</c>.</summary>
    public required Destination? Entry { get; init; }

    /// <summary>Whose answer Postfix is told, by what was found now.</summary>
    public required Answerer Answerer { get; init; }

    /// <summary>Why the store could not be asked for entries; null where it could.</summary>
    public required string? StoreProblem { get; init; }

    /// <summary>What a person should read of the entry: what the prober has found and is open, then what this probe finds beside it.</summary>
    public ImmutableArray<Finding> Findings { get; init; } = [];

    /// <summary>The sentence that policyd does not run, so that the entry is nobody's answer; null where policyd runs, or where there is no entry.</summary>
    public string? DaemonAbsence { get; init; }

    /// <summary>The forecast of each level: first the levels that can be proposed, the strongest first of all.</summary>
    public required ImmutableArray<LevelForecast> Levels { get; init; }

    /// <summary>The forecast of mail under the entry; null where there is none, where it leaves the answer to discovery, or where there is nowhere to send mail.</summary>
    public MailForecast? AtEntry { get; init; }

    /// <summary>The state of discovery by what was found now; null where discovery is off, or does not answer for the key.</summary>
    public DiscoveredState? Discovered { get; init; }

    /// <summary>The forecast of mail under the discovered answer; null where that is "not found", or where there is nowhere to send it.</summary>
    public MailForecast? AtDiscovered { get; init; }

    /// <summary>True where discovery answers: it is on, and no entry comes first or takes more.</summary>
    public bool IsDiscovered => Answerer == Answerer.Discovery;

    /// <summary>Everything that this rests on.</summary>
    public required CheckRecord Record { get; init; }

    /// <summary>What mail meets where no policy is found (security_level); null where that cannot be told, as at fingerprint, whose pins stand in main.cf.</summary>
    public LevelForecast? AtSecurityLevel => Settings.Postfix.SecurityLevel == TlsLevel.Fingerprint
        ? null
        : Levels.FirstOrDefault(level => level is { Match.IsEmpty: true, SendsName: false } && level.Level == Settings.Postfix.SecurityLevel);

    public LevelForecast? Strongest => LevelForecasts.Strongest(Levels);

    public MxResolution Resolution => Probed.Resolution;

    /// <summary>Fingerprints are shown in the digest that Postfix compares.</summary>
    public DigestAlgorithm Digest => Settings.Postfix.FingerprintDigest;

    /// <summary>The pins that Postfix is told, or would be told once the entry is enforced.</summary>
    public ImmutableArray<Pin> Expected => Entry is { Policy.Level: TlsLevel.Fingerprint } entry
        ? [.. entry.Pins.Where(pin => pin.IsServed && pin.Fingerprint.Algorithm == Digest)]
        : [];
}

/// <summary>The settings of main.cf that a forecast rests on: those of <c>[postfix]</c>, and what is taken for granted.</summary>
public static class Assumptions
{
    /// <summary>The settings of main.cf that <c>[postfix]</c> could repeat and does not, so that the forecast assumes Postfix's defaults.</summary>
    public static IEnumerable<string> NotConfigured(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return ConfigurationKeys.OfMainCf.Where(key => settings.AssumedOfMainCf.Contains(key.Name)).Select(settings.OfMainCf);
    }

    public static IEnumerable<string> Of(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (var key in ConfigurationKeys.OfMainCf)
            yield return settings.OfMainCf(key);
        yield return $"smtp_tls_CAfile or smtp_tls_CApath with the authorities of {(settings.Probe.CaFile.Text is { Length: > 0 } file ? file : "the system")} (ca_file)";
        yield return "smtp_dns_support_level = dnssec for dane and dane-only";
        yield return "Postfix 3.7 or newer over OpenSSL 3, all else as it comes";
    }
}
