using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Completions;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary>The options that describe a destination; <c>domain add</c> and <c>domain set</c> share them.</summary>
/// <remarks>An attribute of the policy is an option here and a row of <see cref="PolicyAttributes"/>, by the same name.</remarks>
internal sealed class PolicyOptions
{
    private const string Never = "never";

    private readonly Option<string?> level = new("--level", "-l")
    {
        HelpName = "LEVEL",
        Description = "none, may, encrypt, fingerprint, dane, dane-only, verify, secure, default (as main.cf says) or discovered (as it publishes)",
    };

    private readonly Option<string?> floor = new("--floor")
    {
        HelpName = "FLOOR",
        Description = "At level discovered: mail waits where less than this is published (encrypt, secure or dane-only; none takes it away)",
    };

    private readonly Option<string[]> match = new("--match", "-m")
    {
        HelpName = "M",
        Description = "At fingerprint: a pin, as openssl prints it. At verify and secure: a name, .name, nexthop, dot-nexthop or hostname. Repeatable",
    };

    private readonly Option<string?> ciphers = new("--ciphers") { HelpName = "GRADE", Description = "Cipher grade, such as high" };

    private readonly Option<string?> protocols = new("--protocols") { HelpName = "P", Description = "Protocols, such as '>=TLSv1.2' or '!SSLv3:!TLSv1'" };

    private readonly Option<string?> exclude = new("--exclude") { HelpName = "C", Description = "Excluded ciphers, separated by colons" };

    private readonly Option<string?> serverName = new("--servername") { HelpName = "NAME", Description = "SNI: a host name, hostname or nexthop" };

    private readonly Option<string[]> taFile = new("--tafile") { HelpName = "FILE", Description = "Trust anchors (PEM) instead of the system's; repeatable" };

    private readonly Option<string?> connectionReuse = new("--connection-reuse") { HelpName = "yes|no", Description = "Keep TLS connections open for further mail" };

    private readonly Option<string[]> attribute = new("--attribute")
    {
        HelpName = "NAME=VALUE",
        Description = "Any attribute of smtp_tls_policy_maps, such as enable_rpk=yes or policy_type=no-policy-found; repeatable",
    };

    private readonly Option<string?> mode = new("--mode")
    {
        HelpName = "MODE",
        Description = "locked: a person decides about every pin; assist: DANE evidence promotes; auto: WebPKI evidence too [default: assist]",
    };

    private readonly Option<bool> observe = new("--observe") { Description = "Do not enforce: answered as if not configured" };

    private readonly Option<string?> until = new("--until")
    {
        HelpName = "WHEN",
        Description = "Only until then: 4h, 7d, 2026-12-01, 2026-12-01T18:00Z. An entry that is added goes then, and what is set goes back to what it was; never: for good",
    };

    private readonly Option<string?> note = new("--note") { HelpName = "TEXT", Description = "Your own words, shown with the entry" };

    private readonly Option<string[]> probeAs = Hosting.ProbeAs.Option();

    private readonly (string Attribute, Option Option)[] attributeOptions;

    internal PolicyOptions() => attributeOptions =
    [
        ("match", match), ("ciphers", ciphers), ("protocols", protocols), ("exclude", exclude),
        ("servername", serverName), ("tafile", taFile), ("connection_reuse", connectionReuse),
    ];

    /// <summary>Whether the entry is only to be observed from now on.</summary>
    internal bool Observes(CommandContext context) => context.Get(observe);

    internal void AddTo(Command command)
    {
        level.CompletionSources.Add(_ => TlsLevels.EntryNames.Select(name => new CompletionItem(name, detail: Meaning(name))));
        floor.CompletionSources.Add([.. DiscoveryFloors.Names]);
        mode.CompletionSources.Add(_ => PinNames.ModeNames.Select(name => new CompletionItem(name, detail: name switch
        {
            "locked" => "a person decides about every pin",
            "assist" => "DANE evidence promotes, the rest is proposed",
            _ => "DANE and WebPKI evidence promote",
        })));
        connectionReuse.CompletionSources.Add("yes", "no");
        ciphers.CompletionSources.Add("high", "medium", "low", "export", "null");
        serverName.CompletionSources.Add([.. ServerNames.Words]);
        match.CompletionSources.Add([.. DefaultMatch.Keywords]);
        attribute.CompletionSources.Add([.. PolicyAttributes.All.Select(row => row.Name + "=")]);
        command.Add(level);
        command.Add(floor);
        foreach (var (_, option) in attributeOptions)
            command.Add(option);
        command.Add(attribute);
        command.Add(mode);
        command.Add(observe);
        command.Add(until);
        command.Add(note);
        command.Add(probeAs);
    }

    private static string Meaning(string level) => level switch
    {
        "none" => "no TLS, plain text",
        "may" => "TLS where the server offers it",
        "encrypt" => "TLS, whoever the server is",
        "fingerprint" => "only a server with a pinned certificate or public key",
        "dane" => "by TLSA records where there are any",
        "dane-only" => "only by TLSA records",
        "verify" => "a trusted certificate for the MX host's name",
        "secure" => "a trusted certificate for the domain's name",
        "default" => "as main.cf says, whatever it publishes",
        "discovered" => "as it publishes by DANE or MTA-STS",
        _ => "",
    };

    internal bool NamesLevel(CommandContext context) => context.Has(level);

    /// <summary>A new entry as the command line describes it.</summary>
    /// <param name="from">What it is without what the command line says; null for an entry that says nothing.</param>
    /// <exception cref="CommandException">A value cannot be read.</exception>
    internal WantedEntry Wanted(CommandContext context, NextHop key, Destination? from = null)
    {
        from ??= new Destination { Key = key, Policy = new TlsPolicy { Level = TlsLevel.Encrypt } };
        return new WantedEntry(Apply(context, from, new HashSet<string>()) with { Until = Until(context) })
        {
            NamesMode = context.Has(mode),
            NamesNote = context.Has(note),
            NamesProbeAs = context.Has(probeAs),
        };
    }

    /// <summary>The destination with its end, as the command line says when it is to be again what it was.</summary>
    /// <param name="before">As it is.</param>
    /// <param name="after">As it shall be.</param>
    /// <exception cref="CommandException">It says no time ahead, or nothing that would end.</exception>
    internal Destination WithEnd(CommandContext context, Destination before, Destination after)
    {
        if (!context.Has(until))
            return after;
        if (Until(context) is not { } end)
            return after with { Until = null, Former = null };
        if (before.Policy.Level.MatchesFingerprints() && after.Policy.Level.MatchesFingerprints() && !before.Pins.AsSpan().SequenceEqual(after.Pins.AsSpan()))
            throw new CommandException(ExitCode.Usage, "--until is about level and attributes; a pin that is added stays: take it out of service with policyctl pin revoke");
        var temporary = Temporary.Until(before, after, end);
        return temporary.Settled().Until is not null
            ? temporary
            : throw new CommandException(ExitCode.Usage, $"{before.Key}: nothing would end then, as it is what it would come back to; say with --until what shall be different meanwhile");
    }

    /// <summary>The destination with everything that the command line says of it.</summary>
    /// <param name="destination">As it is, or an empty one.</param>
    /// <param name="unset">Attributes to take away first.</param>
    /// <exception cref="CommandException">A value cannot be read.</exception>
    internal Destination Apply(CommandContext context, Destination destination, IReadOnlySet<string> unset)
    {
        var policy = destination.Policy with { Level = Level(context) ?? destination.Policy.Level };
        var given = Given(context, policy.Level);
        var named = given.Select(pair => pair.Attribute.Name).ToHashSet(StringComparer.Ordinal);
        var next = new TlsPolicy { Level = policy.Level };
        // At a level of our own none has a meaning, and what an entry had of another one goes with that.
        foreach (var row in PolicyAttributes.All.Where(row => policy.Level.IsOfPostfix() && !named.Contains(row.Name) && !unset.Contains(row.Name)))
        {
            foreach (var value in row.Get(policy))
                next = row.Add(next, value);
        }

        foreach (var (row, value) in given)
        {
            if (row.Repeats == Repetition.Refused && !row.Get(next).IsEmpty)
                throw new CommandException(ExitCode.Usage, $"{row.Name} is given twice; Postfix takes it once");
            // Values such as "maybe" must not be read as "no" on their way to the rules that refuse them.
            if (row.Check(value, PostfixVersion.Newest) is { } problem && !row.Separator.HasValue)
                throw new CommandException(ExitCode.Usage, problem.At(row.Name).ToString());
            next = row.Add(next, value);
        }

        return destination with
        {
            Policy = PolicyAttributes.Canonical(next),
            Pins = Pins(context, destination.Key, next.Level, destination.Pins),
            Mode = Mode(context) ?? destination.Mode,
            Observe = context.Has(observe) ? context.Get(observe) : destination.Observe,
            Floor = Floor(context) ?? (next.Level == TlsLevel.AsDiscovered ? destination.Floor : DiscoveryFloor.None),
            ProbeAs = ProbeAs(context, destination),
            Note = context.Has(note) ? context.Get(note) is { Length: > 0 } text ? text : null : destination.Note,
        };
    }

    private ImmutableArray<string> ProbeAs(CommandContext context, Destination destination)
    {
        if (Hosting.ProbeAs.Read(context, probeAs) is not { } names)
            return destination.ProbeAs;
        return destination.Key.IsSubdomains || names.IsEmpty
            ? names
            : throw new CommandException(
                ExitCode.Usage, $"--probe-as is for keys with a leading dot; {destination.Key} is probed where its mail goes");
    }

    private TlsLevel? Level(CommandContext context)
    {
        if (context.Get(level) is not { } name)
            return null;
        return TlsLevels.TryParse(name, out var known)
            ? known
            : throw new CommandException(ExitCode.Usage, $"'{name}' is no TLS security level{Nearest.Suggestion(name, TlsLevels.EntryNames, "the levels are")}");
    }

    private DateTimeOffset? Until(CommandContext context)
    {
        if (context.Get(until) is not { } text || text == Never)
            return null;
        var now = context.Host.Time.GetUtcNow();
        if (!Moments.TryParseFuture(text, context.Host.Time, out var end))
            throw new CommandException(ExitCode.Usage, $"--until takes a time from now such as 4h or 7d, a date such as 2026-12-01, or a time such as 2026-12-01T18:00Z, not '{text}'");
        end = UtcTime.WholeSeconds(end);
        if (end <= now)
            throw new CommandException(ExitCode.Usage, $"--until takes a time ahead, and {UtcTime.Text(end)} is over");
        return end <= Temporary.Longest(now)
            ? end
            : throw new CommandException(ExitCode.Usage, FormattableString.Invariant($"--until takes a time within {Temporary.MostYears} years, and {UtcTime.Text(end)} is later; what is meant for good has none"));
    }

    private DiscoveryFloor? Floor(CommandContext context)
    {
        if (context.Get(floor) is not { } name)
            return null;
        return DiscoveryFloors.TryParse(name, out var known)
            ? known
            : throw new CommandException(
                ExitCode.Usage, $"'{name}' is no floor{Nearest.Suggestion(name, DiscoveryFloors.Names, "the floors are")}");
    }

    private PinMode? Mode(CommandContext context)
    {
        if (context.Get(mode) is not { } name)
            return null;
        return PinNames.TryParse(name, out PinMode known)
            ? known
            : throw new CommandException(ExitCode.Usage, $"'{name}' is no mode{Nearest.Suggestion(name, PinNames.ModeNames, "the modes are")}");
    }

    private List<(PolicyAttribute Attribute, string Value)> Given(CommandContext context, TlsLevel level)
    {
        var given = new List<(PolicyAttribute, string)>();
        foreach (var (name, option) in attributeOptions)
        {
            // At fingerprint --match gives pins, which are not part of the policy.
            if (name == "match" && level.MatchesFingerprints())
                continue;
            foreach (var value in Values(context, option))
            {
                if (name == "match" && PolicyRules.IsFingerprintAt(level, value) is { } fingerprint)
                    throw new CommandException(ExitCode.Usage, $"--match {value}: {fingerprint.Reason}; for a pin: --level fingerprint");
                given.Add((Find(name), value));
            }
        }

        foreach (var pair in context.Get(attribute) ?? [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new CommandException(ExitCode.Usage, $"--attribute takes NAME=VALUE, not '{pair}'");
            var name = pair[..equals].Trim();
            if (name.Equals("match", StringComparison.OrdinalIgnoreCase))
                throw new CommandException(ExitCode.Usage, "give match with --match");
            given.Add((Find(name), pair[(equals + 1)..].Trim()));
        }

        return given;
    }

    internal static PolicyAttribute Find(string name) => PolicyAttributes.TryFind(name, out var row)
        ? row
        : throw new CommandException(
            ExitCode.Usage,
            $"Postfix has no attribute '{name}'{Nearest.Suggestion(name, [.. PolicyAttributes.All.Select(known => known.Name)], "it has")}");

    private static string[] Values(CommandContext context, Option option) => option switch
    {
        Option<string[]> many => context.Get(many) ?? [],
        Option<string?> one => context.Get(one) is { } value ? [value] : [],
        _ => [],
    };

    private ImmutableArray<Pin> Pins(CommandContext context, NextHop key, TlsLevel level, ImmutableArray<Pin> pins)
    {
        if (!level.MatchesFingerprints())
            return pins;
        foreach (var text in (context.Get(match) ?? []).SelectMany(list => list.Split('|')))
            pins = PinEditing.Trust(key, pins, Arguments.Fingerprint(text), PinSubject.Unknown, context.Host.Time, readmit: false);
        return pins;
    }
}
