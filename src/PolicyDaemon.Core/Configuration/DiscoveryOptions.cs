using System.Collections.Frozen;
using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Configuration;

/// <summary>What discovery does for destinations without an entry (<c>discovery.mode</c>).</summary>
public enum DiscoveryMode
{
    /// <summary>Discovery looks nothing up and answers nothing.</summary>
    Off,

    /// <summary>Discovery looks everything up, judges and counts, and answers nothing.</summary>
    Observe,

    /// <summary>Verdicts are answered.</summary>
    On,
}

/// <summary>The <c>[discovery]</c> section, read and checked. See policydaemon.conf(5).</summary>
public sealed record DiscoveryOptions
{
    public required DiscoveryMode Mode { get; init; }

    public required bool Dane { get; init; }

    public required bool MtaSts { get; init; }

    /// <summary>How long the first question for a destination waits for its verdict; zero: not at all.</summary>
    public required TimeSpan Wait { get; init; }

    /// <summary>True where "unknown" is answered with a temporary error (<c>first_sight = temp</c>).</summary>
    public required bool DefersFirstSight { get; init; }

    /// <summary>Domains, and <c>.suffixes</c> for everything below, that are not discovered.</summary>
    public required ImmutableArray<string> Skip { get; init; }

    /// <summary>Other names under which the maps are served.</summary>
    public required FrozenDictionary<string, MapName> MapAliases { get; init; }

    /// <summary>The settings on which verdicts depend beside the destination.</summary>
    public DiscoverySettings Conditions(PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        return new(postfix.SecurityLevel, Dane, MtaSts);
    }
}

/// <summary>The keys of <c>[discovery]</c>.</summary>
public static class DiscoveryKeys
{
    public static readonly ConfigurationKey Mode = new(
        "discovery", "mode", "off", "what becomes of destinations without an entry: off, observe (looked up, judged and counted) or on (answered)");

    public static readonly ConfigurationKey Dane = new("discovery", "dane", "yes", "DANE verdicts are given: yes or no");

    public static readonly ConfigurationKey MtaSts = new("discovery", "mta_sts", "yes", "MTA-STS policies are kept to: yes or no");

    public static readonly ConfigurationKey Wait = new(
        "discovery", "wait", "1500ms", "how long the first question for a destination waits for its verdict, 0s to 10s");

    public static readonly ConfigurationKey FirstSight = new(
        "discovery", "first_sight", "opportunistic", "the answer while nothing is known: opportunistic, or temp so that mail waits");

    public static readonly ConfigurationKey Skip = new(
        "discovery", "skip", "", "domains, and .suffixes for everything below, that are not discovered, separated by commas");

    public static readonly ConfigurationKey MapAliases = new(
        "discovery", "map_aliases", "", "other names of the maps, NAME:tlspolicy or NAME:tlspolicy-tlsrpt, separated by commas");

    public static IReadOnlyList<ConfigurationKey> All { get; } = [Mode, Dane, MtaSts, Wait, FirstSight, Skip, MapAliases];
}

/// <summary>Reads the <c>[discovery]</c> section.</summary>
internal sealed class DiscoveryOptionsReader(SettingValues values)
{
    private const int MostAliases = 16;
    private const int LongestAlias = 64;

    public DiscoveryOptions Read() => new()
    {
        Mode = Mode(),
        Dane = values.YesNo(DiscoveryKeys.Dane),
        MtaSts = values.YesNo(DiscoveryKeys.MtaSts),
        Wait = values.Duration(DiscoveryKeys.Wait, "0s", "10s"),
        DefersFirstSight = DefersFirstSight(),
        Skip = [.. values.List(DiscoveryKeys.Skip).Select(Skipped).OfType<string>()],
        MapAliases = Aliases(),
    };

    private DiscoveryMode Mode()
    {
        var value = values.Value(DiscoveryKeys.Mode);
        switch (value.Text)
        {
            case "off":
                return DiscoveryMode.Off;
            case "observe":
                return DiscoveryMode.Observe;
            case "on":
                return DiscoveryMode.On;
            default:
                values.Problems.Add(value.Problem($"'{value.Text}' is none of off, observe and on"));
                return DiscoveryMode.Off;
        }
    }

    private bool DefersFirstSight()
    {
        var value = values.Value(DiscoveryKeys.FirstSight);
        if (value.Text is not ("opportunistic" or "temp"))
            values.Problems.Add(value.Problem($"'{value.Text}' is neither opportunistic nor temp"));
        return value.Text == "temp";
    }

    private string? Skipped(ConfiguredValue value)
    {
        if (NextHop.TryParse(value.Text, out var name, out _) && !name.IsPath && !name.IsBracketed && name.Port is null)
            return name.Text;
        values.Problems.Add(value.Problem($"'{value.Text}' is neither a domain nor a .suffix"));
        return null;
    }

    private FrozenDictionary<string, MapName> Aliases()
    {
        var aliases = new Dictionary<string, MapName>(StringComparer.Ordinal);
        foreach (var value in values.List(DiscoveryKeys.MapAliases))
        {
            var colon = value.Text.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? "" : value.Text[..colon].Trim();
            if (name.Length is 0 or > LongestAlias || name.AsSpan().ContainsAnyExceptInRange('!', '~')
                || !MapNames.TryParse(System.Text.Encoding.UTF8.GetBytes(value.Text[(colon + 1)..].Trim()), out var map))
                values.Problems.Add(value.Problem($"'{value.Text}' is no alias; write NAME:{MapName.TlsPolicy.Name()} or NAME:{MapName.TlsPolicyTlsRpt.Name()}"));
            else if (MapNames.TryParse(System.Text.Encoding.UTF8.GetBytes(name), out _))
                values.Problems.Add(value.Problem($"'{name}' is a map's own name"));
            else if (!aliases.TryAdd(name, map))
                values.Problems.Add(value.Problem($"'{name}' is given twice"));
            else if (aliases.Count > MostAliases)
                values.Problems.Add(value.Problem($"more than {MostAliases} aliases"));
        }

        return aliases.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
