using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Daemon;

/// <summary><c>policyd --check</c>: validates configuration and store, and prints what would be served.</summary>
internal static class ConfigurationCheck
{
    // A broken store of a million entries should not print a million lines.
    private const int MaxProblemsShown = 20;

    internal static DaemonExitCode Run(Settings settings, TextWriter output)
    {
        var endpoints = Endpoints.From(settings);
        output.WriteLine($"configuration  {settings.File ?? "built-in defaults"}");
        foreach (var endpoint in endpoints)
            output.WriteLine($"listen         {endpoint.Protocol.Name()} {endpoint}");
        if (endpoints.Count == 0)
            output.WriteLine("listen         nowhere; set lookup.socketmap");
        output.WriteLine($"postfix        version {settings.Postfix.Version} and later, fingerprints in {settings.Postfix.FingerprintDigest.Name()}");

        ProberReport.Write(settings, output);
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, TimeProvider.System);
            store.CheckIntegrity();
            var unservable = Serve(store, settings, output);
            return unservable == 0 && endpoints.Count > 0 ? DaemonExitCode.Done : DaemonExitCode.Invalid;
        }
        catch (StoreException exception)
        {
            output.WriteLine($"store          {settings.Database}: {exception.Message}");
            return DaemonExitCode.Invalid;
        }
    }

    private static int Serve(PolicyStore store, Settings settings, TextWriter output)
    {
        var byLevel = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var unservable = new List<(Destination Destination, string Reason)>();
        var count = 0;
        foreach (var destination in store.ListInForce())
        {
            count++;
            var name = destination.Observe ? "observed, answered as not found" : destination.Policy.Level.Name();
            byLevel[name] = byLevel.GetValueOrDefault(name) + 1;
            var answer = PolicyText.Answer(destination, settings.Postfix, MapName.TlsPolicy);
            if (answer.Kind is LookupAnswerKind.Temporary)
                unservable.Add((destination, answer.Text));
        }

        var head = store.Head();
        output.WriteLine($"store          {store.Path}: {count} destinations, audit log at row {head.Sequence}, intact");
        foreach (var (level, number) in byLevel)
            output.WriteLine($"served         {number} at {level}");
        foreach (var (destination, reason) in unservable.Take(MaxProblemsShown))
            output.WriteLine($"not servable   {destination.Key}: {reason}");
        if (unservable.Count > MaxProblemsShown)
            output.WriteLine($"not servable   and {unservable.Count - MaxProblemsShown} more; each is answered with a temporary error");
        return unservable.Count;
    }
}
