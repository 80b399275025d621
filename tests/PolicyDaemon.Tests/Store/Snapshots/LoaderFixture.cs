using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>A loader over a temporary store; each <see cref="Poll"/> is one poll.</summary>
internal sealed class LoaderFixture : IDisposable
{
    internal LoaderFixture(TemporaryStore store, PostfixSettings? postfix = null, bool start = true)
    {
        Store = store;
        Options = new SnapshotLoaderOptions(store.Path, SnapshotPath(store)) { Patience = TimeSpan.FromMilliseconds(20) };
        Loader = new SnapshotLoader(Options, postfix ?? PostfixSettings.Default, store.Time, NullLogger<SnapshotLoader>.Instance);
        if (start)
            Loader.Start();
    }

    internal TemporaryStore Store { get; }

    internal SnapshotLoaderOptions Options { get; }

    internal SnapshotLoader Loader { get; }

    internal string SnapshotFilePath => Options.SnapshotFile;

    internal IEnumerable<FindingKind> Kinds => Loader.Findings.Select(finding => finding.Kind);

    internal static string SnapshotPath(TemporaryStore store) => store.Beside(".snapshot");

    internal void Poll() => Loader.Poll();

    /// <summary>Time passes until what the clock shows has surely come.</summary>
    internal void Settle()
    {
        Poll();
        Store.Time.Advance(SettledTime.Window);
        Poll();
    }

    /// <summary>The answer as <c>kind text</c>; <c>no snapshot</c> and <c>not configured</c> where there is none.</summary>
    internal string Answer(string key, MapName map = MapName.TlsPolicy)
    {
        if (Loader.Current is not { } snapshot)
            return "no snapshot";
        return snapshot.TryFind(Encoding.ASCII.GetBytes(key), map, Store.Time, out var reply)
            ? $"{reply.Kind} {Encoding.ASCII.GetString(reply.Text)}"
            : "not configured";
    }

    /// <summary>Polls until what runs in the background has found something.</summary>
    internal Task PollUntilAsync(FindingKind found) => Until.TrueAsync(() => Kinds.Contains(found), Poll, $"there is a finding {found}");

    public void Dispose() => Loader.Dispose();
}
