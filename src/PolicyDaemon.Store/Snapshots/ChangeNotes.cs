namespace PolicyDaemon.Store.Snapshots;

/// <summary>Collects the keys that changed, for the prober; the collection is bounded, in case nobody fetches it.</summary>
internal sealed class ChangeNotes
{
    // Beyond so many it is cheaper to read everything.
    private const int MaxKeys = 1_000;

    private readonly Lock gate = new();
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private bool everything;

    public void Add(IEnumerable<string> changed)
    {
        lock (gate)
        {
            keys.UnionWith(changed);
            if (keys.Count > MaxKeys)
                Everything();
        }
    }

    public void AddEverything()
    {
        lock (gate)
            Everything();
    }

    /// <returns>The changes since the last call; null where nothing changed.</returns>
    public LoadedChanges? Take()
    {
        lock (gate)
        {
            if (!everything && keys.Count == 0)
                return null;
            var taken = new LoadedChanges([.. keys], everything);
            keys.Clear();
            everything = false;
            return taken;
        }
    }

    private void Everything()
    {
        everything = true;
        keys.Clear();
        keys.TrimExcess();
    }
}
