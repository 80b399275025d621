using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Cli;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>A state of the world in which a finding is open.</summary>
internal abstract class RemedyScenario : IAsyncDisposable
{
    internal abstract CliSession Session { get; }

    /// <summary>Brings the finding forth.</summary>
    internal abstract Task BringAsync();

    /// <summary>What follows by itself after a person has acted: the next probe, the next poll.</summary>
    internal abstract Task PassAsync();

    /// <summary>What is open.</summary>
    internal virtual IReadOnlyList<Finding> Open()
    {
        using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
        return [.. store.OpenFindings().Select(open => open.Finding)];
    }

    /// <summary>Runs what a person pasted, on the configuration of this machine.</summary>
    internal virtual CliResult Run(string program, IReadOnlyList<string> words) => Session.Run(words);

    public abstract ValueTask DisposeAsync();

    /// <summary>The end of the audit log; -1 where the store cannot be read.</summary>
    internal long AuditEnd()
    {
        try
        {
            using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
            return store.Head().Sequence;
        }
        catch (StoreException)
        {
            return -1;
        }
    }
}

/// <summary>A scenario, and what is expected of the remedy.</summary>
/// <param name="Name">The kind, and where a kind has several scenarios, which one.</param>
/// <param name="Make">Makes it.</param>
internal sealed record RemedyCase(string Name, Func<RemedyScenario> Make)
{
    internal FindingKind Kind => FindingKinds.TryParse(Name.Split(' ')[0], out var kind) ? kind : throw new InvalidOperationException($"{Name} is no kind");

    /// <summary>It settles the finding; otherwise it looks and changes nothing.</summary>
    internal bool Settles { get; init; }

    /// <summary>What is shown by a remedy that looks.</summary>
    internal string Shows { get; init; } = Name.Split(' ')[0];

    /// <summary>The exit code of a remedy that looks, beside 0, 1 and 6.</summary>
    internal int MayExit { get; init; }
}
