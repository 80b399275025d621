namespace PolicyDaemon.Lookup.Listening;

/// <summary>What a failed accept means for the listener. See accept(2), ERRORS.</summary>
internal enum AcceptFault
{
    /// <summary>This client went away; take the next one.</summary>
    Client,

    /// <summary>No descriptors or no memory: the client stays in the queue, so trying again at once would spin.</summary>
    Resources,

    /// <summary>The listening socket itself is gone or unusable.</summary>
    Listener,
}
