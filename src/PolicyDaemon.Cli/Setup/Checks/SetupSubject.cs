using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>What the checks judge: a Postfix, our configuration, and the store as far as it can be read.</summary>
/// <param name="Levels">How many entries each level has; empty without a store.</param>
/// <param name="IsConfigured">Whether a key has an entry; always false without a store.</param>
internal sealed record SetupSubject(
    PostfixConfiguration Postfix,
    Settings Settings,
    IReadOnlyDictionary<TlsLevel, long> Levels,
    Func<NextHop, bool> IsConfigured)
{
    /// <summary>True where SELinux enforces its policy on this machine.</summary>
    public bool SelinuxEnforces { get; init; }

    /// <summary>Why a failover of the store's server may lose changes; null where it cannot, or nobody knows.</summary>
    public string? FailoverRisk { get; init; }

    /// <summary>The machine's name, which probes say in EHLO where the configuration names none.</summary>
    public string HostName { get; init; } = ProberComposition.HostName();

    /// <summary>How many entries are only observed: Postfix goes on to the tables behind us for them.</summary>
    public long Observed { get; init; }

    /// <summary>The tables in smtp_tls_policy_maps that are kept by hand and can be read, their rows compared with the entries.</summary>
    public IReadOnlyList<OlderTable> Older { get; init; } = [];

    /// <summary>The tables that keep Postfix from being switched over: pins of theirs still decide, and match nothing in our digest, which Postfix does not use yet.</summary>
    public IReadOnlyList<OlderTable> InTheWay => DigestCheck.IsOurs(this)
        ? []
        : [.. Postfix.List("smtp_tls_policy_maps").Select(OlderOf).OfType<OlderTable>().Where(table => table.Mismatched > 0)];

    /// <summary>What is known of a table; null where it cannot be read.</summary>
    public OlderTable? OlderOf(string table) => Older.FirstOrDefault(older => older.Name == table);

    public long Entries => Levels.Values.Sum();

    public long Count(params ReadOnlySpan<TlsLevel> levels)
    {
        var count = 0L;
        foreach (var level in levels)
            count += Levels.GetValueOrDefault(level);
        return count;
    }
}
