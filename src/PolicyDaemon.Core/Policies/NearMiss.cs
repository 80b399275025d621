using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Policies;

/// <summary>A key that Postfix asks for and that has no entry, while one with the same bare host has: to Postfix they are different keys.</summary>
public static class NearMiss
{
    /// <summary>The command after which an entry answers for the key, too: one like the entry that comes nearest to it.</summary>
    /// <param name="asked">The key that Postfix asks for.</param>
    /// <param name="entries">The entries with the same bare host.</param>
    /// <returns>Null where that might be less than main.cf says, or nothing at all: then a person decides what the key is worth.</returns>
    public static string? Command(NextHop asked, IEnumerable<Destination> entries)
    {
        // The same brackets lead to the same servers.
        var nearest = entries.Where(entry => entry is { Observe: false, Until: null } && entry.Policy.Level.Protection() >= Protection.Encrypted)
            .OrderBy(entry => entry.Key.IsBracketed == asked.IsBracketed ? 0 : 1)
            .ThenBy(entry => entry.Key.Port == asked.Port ? 0 : 1)
            .ThenBy(entry => entry.Key.Text, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest is null ? null : Like(asked, nearest.Key);
    }

    /// <summary>The command that adds an entry like another one.</summary>
    public static string Like(NextHop key, NextHop other) => $"policyctl domain add {Shell.Quote(key.Text)} --like {Shell.Quote(other.Text)}";
}
