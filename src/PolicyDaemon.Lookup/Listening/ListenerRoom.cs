namespace PolicyDaemon.Lookup.Listening;

/// <summary>A listener's part of the connections that are held at the same time.</summary>
internal sealed class ListenerRoom(MapEndpoint endpoint)
{
    public MapEndpoint Endpoint { get; } = endpoint;

    /// <summary>The number of connections that no other listener can take from this one.</summary>
    public int Reserved { get; set; }

    /// <summary>The number of open connections that this listener accepted, without those that have been ended.</summary>
    public int Held { get; set; }
}

/// <summary>The parts of all listeners. Not to be used from several threads at once.</summary>
/// <remarks>
/// A quarter of the limit belongs to the unix sockets and a quarter to the others, in equal shares; half of it goes to whoever comes first.
/// So no process that reaches a TCP port can keep the unix socket's clients out, behind whose permissions it does not get, nor one port's
/// peers those of another port.
/// </remarks>
internal sealed class ListenerRooms(int limit)
{
    private const int Quarter = 4;

    private readonly List<ListenerRoom> rooms = [];
    private int held;

    /// <summary>The number of connections that are left for listeners whose own part is full.</summary>
    private int Shared => limit - held - KeptFrom(null);

    public ListenerRoom Open(MapEndpoint endpoint)
    {
        var room = new ListenerRoom(endpoint);
        rooms.Add(room);
        Distribute();
        return room;
    }

    /// <summary>Ends a listener's part; its open connections count in the common part from then on.</summary>
    public void Close(ListenerRoom room)
    {
        rooms.Remove(room);
        room.Reserved = 0;
        Distribute();
    }

    public bool HasPlace(ListenerRoom room) => held < limit && (room.Held < room.Reserved || Shared > 0);

    /// <summary>True where a connection of the first listener can make way for one of the second.</summary>
    public static bool CanGive(ListenerRoom from, ListenerRoom to) => from == to || from.Held > from.Reserved;

    /// <summary>The number of connections that are kept free for the others.</summary>
    public int KeptFrom(ListenerRoom? one)
    {
        var kept = 0;
        foreach (var room in rooms)
            kept += room == one ? 0 : Math.Max(0, room.Reserved - room.Held);
        return kept;
    }

    public void Enter(ListenerRoom room)
    {
        room.Held++;
        held++;
    }

    public void Leave(ListenerRoom room)
    {
        room.Held--;
        held--;
    }

    private void Distribute()
    {
        // One listener alone has nobody to be protected from.
        var part = rooms.Count > 1 ? limit / Quarter : 0;
        foreach (var kind in rooms.GroupBy(room => room.Endpoint.Path is null))
        {
            foreach (var room in kind)
                room.Reserved = part / kind.Count();
        }
    }
}
