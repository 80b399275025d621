using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Cli.Journal;

/// <summary>Notes a committed change where the store's writer cannot rewrite it: the other half of <c>audit --verify --head</c>.</summary>
internal interface IChangeJournal
{
    /// <summary>Never fails: the change is committed already, and the daemon notes the head hash too.</summary>
    void Note(long change, Actor actor, string headHash, string summary);
}
