using PolicyDaemon.Lookup.Listening.Readiness;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>Sorts the errors of accept(2) into the three tiers.</summary>
internal static class AcceptFaults
{
    public static AcceptFault Classify(SystemError error) => error switch
    {
        SystemError.ProcessDescriptors or SystemError.SystemDescriptors or SystemError.NoMemory or SystemError.NoBuffers => AcceptFault.Resources,
        SystemError.BadDescriptor or SystemError.InvalidArgument or SystemError.NotSocket or SystemError.NotSupported => AcceptFault.Listener,
        _ => AcceptFault.Client,
    };
}

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
