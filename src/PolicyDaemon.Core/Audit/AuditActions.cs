using System.Diagnostics;

namespace PolicyDaemon.Core.Audit;

/// <summary>The names under which audit rows store what they record; they are hashed, so they never change.</summary>
public static class AuditActions
{
    private static readonly string[] Names = ["add", "change", "remove", "init", "accept"];

    public static string Name(this AuditAction action) =>
        (uint)action < (uint)Names.Length ? Names[(int)action] : throw new UnreachableException($"audit action {(int)action}");

    public static bool TryParse(string? name, out AuditAction action)
    {
        var index = Array.IndexOf(Names, name);
        action = (AuditAction)Math.Max(index, 0);
        return index >= 0;
    }
}
