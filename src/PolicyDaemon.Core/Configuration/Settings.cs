using System.Collections.Immutable;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Configuration;

/// <summary>The configuration of all programs, read and checked. See policydaemon.conf(5).</summary>
public sealed record Settings
{
    /// <summary>The file the values come from; null where the built-in defaults are all there is.</summary>
    public required string? File { get; init; }

    /// <summary>Socketmap endpoints as written; the lookup library understands them.</summary>
    public required ImmutableArray<ConfiguredValue> Socketmap { get; init; }

    /// <summary>tcp_table endpoints as written.</summary>
    public required ImmutableArray<ConfiguredValue> TcpTable { get; init; }

    public required int MaxConnections { get; init; }

    /// <summary>The store: an absolute path or, on a server, <see cref="PostgreSqlWords.Prefix"/> and the words that name it.</summary>
    public required string Database { get; init; }

    /// <summary>What the file alone says, where the command line names a store; null where it names none. Of a store on a server, and of the configured one, the files below are those of this.</summary>
    public Settings? OfMachine { get; init; }

    /// <summary>The store on a server that the key <c>postgresql</c> names, whether or not it is the one that is used; null where the key is not set.</summary>
    public string? Server { get; init; }

    /// <summary>True where the store is on a server, and no file of this machine.</summary>
    public bool IsOnServer => PostgreSqlWords.IsNamedBy(Database);

    /// <summary>What this machine is called among those that share a store on a server.</summary>
    public required string Node { get; init; }

    /// <summary>The node that findings about this machine belong to; null where the store is a file, which has one.</summary>
    public string? FindingNode => IsOnServer ? Node : null;

    /// <summary>The machines that probe in place of one another have the same word; of them one probes.</summary>
    public required string Vantage { get; init; }

    /// <summary>Whether changes on a server wake the daemon.</summary>
    public bool Notify { get; init; }

    /// <summary>The directory in which the daemon keeps what it keeps on this machine: of the store or, where that is on a server, of the snapshot.</summary>
    public string Directory => Path.GetDirectoryName(IsOnServer ? Snapshot : Database) ?? "/";

    /// <summary>The last good snapshot, an absolute path.</summary>
    public required string Snapshot { get; init; }

    /// <summary>The file in which the running daemon says how it is, an absolute path.</summary>
    public required string StatusFile { get; init; }

    /// <summary>The unix socket on which the running daemon says how it is, an absolute path.</summary>
    /// <remarks>The default may be longer than a unix socket's path can be, as beside a database deep in a tree: then there is none, which the daemon says.</remarks>
    public required string StatusSocket { get; init; }

    public required PostfixSettings Postfix { get; init; }

    /// <summary>The keys of <c>[postfix]</c> that repeat main.cf and that the file leaves out: what forecasts take for granted.</summary>
    public ImmutableArray<string> AssumedOfMainCf { get; init; } = [];

    public required DiscoveryOptions Discovery { get; init; }

    public required ProbeSettings Probe { get; init; }

    /// <summary>Whether <c>policyctl metrics</c> names the open findings, and the destinations that they are about.</summary>
    public bool NameFindings { get; init; }

    /// <summary>Where and to whom policyd-web shows its pages.</summary>
    public required WebSettings Web { get; init; }

    /// <summary>A parameter of main.cf as <c>[postfix]</c> repeats it, with a word where nobody has written it down: <c>smtp_mx_address_limit = 5 (assumed)</c>.</summary>
    public string OfMainCf(ConfigurationKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return $"{key.Parameter} = {ValueOfMainCf(key)}{(AssumedOfMainCf.Contains(key.Name) ? " (assumed)" : "")}";
    }

    /// <summary>The value of a parameter of main.cf, as <c>[postfix]</c> would repeat it.</summary>
    public string ValueOfMainCf(ConfigurationKey key) => PostfixSettingsReader.Text(Postfix, key);
}
