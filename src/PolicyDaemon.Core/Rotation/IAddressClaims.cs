using System.Net;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Keeps the programs over one store from being connected to an address at the same time.</summary>
public interface IAddressClaims
{
    /// <summary>Waits until no other program is connected to the address, and claims it.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Disposed of once the connection is closed.</returns>
    /// <exception cref="LedgerUnavailableException">It cannot be told.</exception>
    Task<IAddressClaim> ClaimAsync(IPAddress address, CancellationToken cancellation);
}

/// <summary>An address that this program may connect to.</summary>
public interface IAddressClaim : IAsyncDisposable
{
    /// <summary>Cancelled where the claim could not be kept, so that the connection has to end.</summary>
    CancellationToken Lost { get; }

    /// <summary>False where it has run out, also where the process was stopped meanwhile.</summary>
    bool IsHeld { get; }
}
