namespace PolicyDaemon.Core.Policies;

/// <summary>How a miss is answered whose bare host is configured in another form (<c>postfix.near_miss</c>).</summary>
public enum NearMissAnswer
{
    NotFound,
    Temporary,
}
