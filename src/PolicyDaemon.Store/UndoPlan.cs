namespace PolicyDaemon.Store;

/// <summary>What taking a change back would do.</summary>
/// <param name="ChangeId">The change.</param>
/// <param name="Steps">One per key, latest first.</param>
/// <param name="Obstacles">Why it cannot be taken back, a sentence each; empty where it can.</param>
public sealed record UndoPlan(long ChangeId, IReadOnlyList<UndoStep> Steps, IReadOnlyList<string> Obstacles)
{
    public bool IsPossible => Obstacles.Count == 0;
}
